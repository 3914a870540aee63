#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "commit/environment.hpp"
#include "commit/wake_hub.hpp"
#include "consume/subscription.hpp"
#include "engine/instance_slot.hpp"
#include "engine/maintenance.hpp"
#include "engine/scheduler.hpp"
#include "engine/worker.hpp"
#include "outbox/lane.hpp"

namespace sluice::engine {

/// One thread of the engine, as `engine::status` shows it.
struct worker_status {
    enum class kind { lane, subscription, maintenance, schedule };

    kind what = kind::lane;
    std::string
        name;  ///< `default:partner_events`; `shop.notify_customer shop::order`; `maintenance`; `schedule default`
    std::string state;   ///< running, restarting or stopped; of a subscription its own words
    std::string detail;  ///< last trouble, one line
    int restarts = 0;    ///< by the supervisor
};

/// A lane that has been in one step for too long.
struct hanging_lane {
    std::string name;  ///< as made by store::make_lane_name
    duration in_step{};
};

/// How long `engine::stop` waits: `server.shutdown_seconds`, and one second for settling and leaving.
[[nodiscard]] duration usual_patience(const config::configuration& with);

/// Runs a domain: one lane per database with aggregates and broker (internal and external), one subscription per route,
/// one schedule per database, and the maintenance, each on a thread of its own. No two of them share a thread, a
/// connection or a lock, so what happens to one does not touch the others.
///
/// A restarted engine has the consumer name of its predecessor (`{host}-{domain}-{slot}`, see instance_slot), so the
/// messages that a crash left in hand come back at once, in order.
///
/// Threads that handle signals are the application's: block its signals before `start`, whose threads inherit that.
///
/// Thread safety: all members may be called concurrently. Lifetime: `env` must outlive it.
class engine {
public:
    explicit engine(commit::environment& env);
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;
    /// Stops, and waits for every thread however long it takes: nothing of `env` is in use afterwards.
    ~engine();

    /// Starts all threads, unless the history or the log of a database forbids it.
    /// @pre the databases and their read models are of this build: `require_current_schemas` and
    ///      `projection::require_read_models` have said so
    /// @throws configuration_error naming a broker or database that is not configured
    /// @throws store_error when a database is away, has lost a part of its history or holds events that this build
    ///         cannot read; names the remedy
    /// @throws usage_error when it was started before
    /// Nothing runs after an exception.
    void start();

    /// Lets every subscription finish the message in hand and every lane its batch, and gives the leases back.
    ///
    /// Returns within `server.shutdown_seconds` and one second. To keep that bound with a broker that hangs, lanes of
    /// an engine wait at most four fifths of it for a confirmation, whatever `outbox.publish_timeout_seconds` says.
    /// @returns false when a thread is still busy (a handler that does not return): then the process should end
    ///          without destroying the engine. Whatever was not committed is delivered again.
    bool stop();
    /// The same, waiting this long and no longer. Lanes still allow a broker that hangs the time said above, so a
    /// shorter wait may end before they do; another call goes on waiting.
    bool stop(duration patience);

    /// Empty before the start.
    [[nodiscard]] std::vector<worker_status> status() const;
    /// The lane that has been in one step longer than so; nothing when there is none. Sleep is no step, unless the lane
    /// does not look up when it is to. The deadlines of database and broker bound each step, so a lane that is longer
    /// in one than all of them together hangs.
    [[nodiscard]] std::optional<hanging_lane> find_hanging_lane(duration longest) const;
    /// Of the consumers; empty before the start.
    [[nodiscard]] std::string consumer_name() const;

private:
    /// A lane with what it stands on. Its chance is its own, because sources need not be thread safe.
    struct running_lane {
        running_lane(commit::environment& env, const outbox::lane_settings& settings);

        base::seeded_random random;
        outbox::lane lane;
        commit::wake_hub::registration wake;
    };
    struct running_worker {
        worker_status::kind what;
        std::string name;                                     ///< as the status shows it
        const consume::subscription* subscription = nullptr;  ///< which tells more of its state
        std::unique_ptr<worker> thread{};
    };

    void require_sound_histories() const;
    void tell_weaknesses() const;
    /// @throws store_error naming what this build cannot read of what is stored
    void require_readable_log() const;
    void make_lanes(const std::string& owner);
    void make_subscriptions(const broker::incarnation& process);
    void make_schedulers();
    void make_workers(const std::string& owner);
    void discard() noexcept;

    commit::environment& env_;
    mutable std::mutex mutex_;
    bool started_ = false;
    bool running_ = false;
    std::unique_ptr<instance_slot> slot_;
    std::string consumer_;
    std::vector<std::unique_ptr<running_lane>> lanes_;
    std::vector<std::unique_ptr<consume::subscription>> subscriptions_;
    std::unique_ptr<maintenance> maintenance_;
    std::vector<std::unique_ptr<scheduler>> schedulers_;
    std::vector<running_worker> workers_;  ///< joined first
};

}  // namespace sluice::engine
