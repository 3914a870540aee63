#pragma once

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/time.hpp>

#include "base/random.hpp"
#include "base/wake.hpp"
#include "broker/broker.hpp"
#include "config/configuration.hpp"
#include "observe/tracer.hpp"
#include "outbox/dispatch.hpp"
#include "outbox/lane_plan.hpp"
#include "store/lane_name.hpp"
#include "store/store.hpp"

namespace sluice::outbox {

/// How a lane publishes while it has other work at hand.
enum class overlap {
    none,      ///< one thing after the other
    deferred,  ///< in the order of `threaded`, on one thread: repeatable, for tests
    threaded   ///< on a helper thread that lives for one batch
};

struct lane_settings {
    std::string database;  ///< configured name of the database
    std::string broker;    ///< configured name of the broker: the rows' `target_broker`
    bool external = false;
    store::shard part{};   ///< of the broker's streams that this lane carries
    std::string owner;     ///< see make_lane_owner; one text may own all lanes of a process
    std::string system{};  ///< what the broker is, for spans: `kafka`
    config::outbox_settings outbox{};
    config::priority_lane_settings priority_lanes{};
    duration drain{std::chrono::seconds{10}};  ///< how long to try to leave tidily
    overlap overlapping = overlap::threaded;
};

/// What a lane stands on. All of it must outlive the lane; `random` is used by the lane's thread only.
struct lane_ports {
    store::database& database;
    broker::broker& broker;
    const clock& time;
    base::random_source& random;
    const observe::tracer& tracer;
};

/// Carries the rows of one database, or a shard of them, to one broker: fetch, render, publish, settle. It
/// does what its plan says and decides nothing.
///
/// It opens a store session and a publisher of its own and shares neither thread nor lock with any other lane. Trouble
/// with the database is logged and tried again with growing pauses; only a stop ends the lane. Destroying it without a
/// stop leaves the lease to expire, as a crash would; a batch in flight is waited for.
///
/// Example:
///
///     lane to_partner{settings, ports};
///     std::jthread thread{[&](std::stop_token stop) { to_partner.run(stop); }};
///
/// Thread safety: one thread runs it. `signal()` may be notified by any thread.
class lane {
public:
    lane(lane_settings settings, const lane_ports& ports);
    lane(const lane&) = delete;
    lane& operator=(const lane&) = delete;

    /// Works until the token asks to stop; then finishes the batch in flight, settles it and gives the lease back,
    /// within `drain`. A broker gets one more second for its confirmations, and none when it was away already: a
    /// message whose confirmation is missing stays open, and is recognised or sent again by the next owner. What
    /// database and broker do never makes it throw.
    void run(const std::stop_token& stop);

    /// Notify it after a commit, so that the lane need not wait for its tick.
    [[nodiscard]] base::wake_signal& signal() noexcept { return signal_; }
    /// As made by store::make_lane_name.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] const std::string& owner() const noexcept { return settings_.owner; }

    /// Does the next thing the plan wants, without sleeping. What `run` repeats; tests call it by hand.
    /// @returns a sleep to take before the next turn, `action::stop` at the end, nothing when there is more to do
    [[nodiscard]] std::optional<lane_action> turn();
    void request_stop();
    /// The next turn looks for rows, as after a notification: for whoever calls `turn` by hand.
    void look() noexcept { plan_.woken(); }
    [[nodiscard]] lane_state state() const noexcept { return plan_.state(); }
    /// When the present step began, which is the latest turn, or the construction before the first. While it sleeps:
    /// when it is to look up. Any thread may ask.
    [[nodiscard]] instant in_step_since() const noexcept { return instant{duration{in_step_since_.load()}}; }

private:
    // One for each action of the plan.
    void perform(const action::acquire& step);
    void perform(const action::renew& step);
    void perform(const action::stand_by& step);
    void perform(const action::withdraw& step);
    void perform(const action::balance& step);
    void perform(const action::fetch& step);
    void perform(const action::catch_up& step);
    void perform(const action::backfill& step);
    void perform(const action::publish& step);
    void perform(const action::collect& step);
    void perform(const action::settle& step);
    void perform(const action::probe& step);
    void perform(const action::purge& step);
    void perform(const action::release& step);

    /// What an operator's pause says of itself, when there is one.
    [[nodiscard]] std::optional<std::string> operator_pause();
    void sleep(const action::sleep& nap);
    [[nodiscard]] store::lane_session& session();
    [[nodiscard]] broker::publisher& publisher();
    void hurry_publisher() noexcept;
    void forget_publisher();
    void explain_loss();
    void answer_rival();
    void log_history(const store::lease_grant& grant) const;
    [[nodiscard]] base::moment now() const { return base::moment_of(ports_.time); }
    void store_trouble(std::string_view what);
    void log_change(lane_state before) const;
    void log_obstacle(const std::string& obstacle);
    void count(const std::vector<row_outcome>& outcomes) const;
    void trace(const std::vector<row_outcome>& outcomes) const;

    lane_settings settings_;
    lane_ports ports_;
    std::string name_;
    dispatch_rules rules_;
    base::wake_signal signal_;
    lane_plan plan_;
    std::atomic<duration::rep> in_step_since_;
    std::string obstacle_;  ///< told last to the log
    std::uint64_t told_rival_ = 0;
    broker::producer producer_;          ///< known once the lane is ours
    std::size_t unsettled_batches_ = 0;  ///< published, and not settled since
    store::lane_session session_;        ///< empty until it is needed
    std::mutex publisher_mutex_;         ///< for the pointer: who stops the lane may be another thread
    std::unique_ptr<broker::publisher> publisher_;
    bool in_a_hurry_ = false;
    std::atomic<bool> probing_ = false;
    std::future<std::vector<broker::verdict>> in_flight_;  ///< last: its end is waited for before the rest goes
};

}  // namespace sluice::outbox
