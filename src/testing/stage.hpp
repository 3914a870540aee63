#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <sluice/test.hpp>

#include "base/random.hpp"
#include "base/sleeper.hpp"
#include "commit/environment.hpp"
#include "consume/subscription.hpp"
#include "engine/scheduler.hpp"
#include "outbox/lane.hpp"
#include "testing/observed_broker.hpp"

namespace sluice::testing_kit {

/// A clock that moves when it is told to. Whoever waits by it lets the time pass.
class moved_clock final : public clock, public base::sleeper {
public:
    explicit moved_clock(date_time start) : now_{start} {}
    [[nodiscard]] date_time now() const override { return now_; }
    [[nodiscard]] instant monotonic_now() const override { return instant{now_ - date_time{}}; }
    void move_to(date_time at) { now_ = std::max(now_, at); }
    void sleep(duration wanted) override { move_to(now_ + wanted); }

private:
    date_time now_;
};

/// A domain in memory with everything that makes it work, one step at a time.
///
/// Thread safety: none.
class stage {
public:
    /// @param plays  which of its subscriptions work; empty: all
    /// @throws configuration_error
    stage(domain declared, const test::runtime_options& options,
          const std::function<bool(const consume::route&)>& plays = {});

    [[nodiscard]] commit::environment& env() const noexcept { return *env_; }
    [[nodiscard]] const detail::registry& registry() const noexcept { return declared_.declared(); }
    [[nodiscard]] sluice::context& context() noexcept { return *context_; }
    [[nodiscard]] date_time now() const noexcept { return time_.now(); }
    /// @throws usage_error when there is none
    [[nodiscard]] observed_broker& broker(const std::string& name) const;
    [[nodiscard]] const std::map<std::string, std::shared_ptr<observed_broker>, std::less<>>& brokers() const noexcept {
        return brokers_;
    }

    /// Until nothing is left to do at the present time. @throws test::failure when that does not come to an end
    void drain();
    void advance(duration by);

    /// A message that none of the domain's lanes sent. Its time is now.
    /// @param of  the stream that its headers name
    void put(const std::string& broker, const std::string& stream, const std::string& of, std::string_view id,
             std::string_view type, const json::value& data);

    using event_visit = std::function<void(const store::stream_event& event)>;
    /// The events of all databases, each in the order of its log.
    void for_each_event(const event_visit& visit) const;
    /// Those that came since the last call.
    void for_each_new_event(const event_visit& visit);
    /// Why a handler failed last; empty when none did since the last call.
    [[nodiscard]] std::string take_failure() { return std::exchange(failure_, {}); }

private:
    void make_lanes();
    void round();
    [[nodiscard]] std::optional<date_time> next_due() const;

    domain declared_;
    moved_clock time_;
    base::seeded_random random_;
    std::map<std::string, std::shared_ptr<observed_broker>, std::less<>> brokers_;
    std::unique_ptr<commit::environment> env_;
    std::optional<sluice::context> context_;
    std::vector<std::unique_ptr<outbox::lane>> lanes_;
    std::vector<std::unique_ptr<consume::subscription>> subscriptions_;
    std::vector<std::unique_ptr<engine::scheduler>> schedulers_;
    std::map<std::string, store::sequence> seen_;  ///< by database: the last event that was visited as a new one
    std::uint64_t steps_ = 0;  ///< trace events so far: while there are new ones there is something to do
    std::string failure_;
};

}  // namespace sluice::testing_kit
