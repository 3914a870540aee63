#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/moment.hpp"
#include "base/wake.hpp"
#include "commit/environment.hpp"
#include "commit/wake_hub.hpp"
#include "engine/release_plan.hpp"

namespace sluice::engine {

/// Releases the scheduled messages of one database when they are due: the timeouts of process managers, and commands
/// given for a later time. A message leaves the schedule and enters log and outbox in one transaction, so it is sent
/// once, however many engines try and wherever one of them dies.
///
/// Wakes up at the next due time, and by commits of this process that schedule something; what another process
/// schedules is found within `outbox.tick_interval`.
///
/// Thread safety: belongs to one thread. Lifetime: `env` must outlive it.
class scheduler {
public:
    /// @throws configuration_error when the database is not configured
    scheduler(commit::environment& env, std::string database);

    /// Works until the stop. Database trouble is logged and retried after 1, 2, 4 … 30 seconds.
    void run(const std::stop_token& stop);

    /// Releases everything that is due now, and says for how long there is nothing to do. Used by `run`, and by tests
    /// that move their own clock.
    /// @throws store_error when the database is away; nothing is lost
    [[nodiscard]] duration work(const std::stop_token& stop = {});

    [[nodiscard]] const std::string& database() const noexcept { return database_; }

private:
    void release(store::unit_session& session, const std::vector<store::scheduled_message>& chosen, base::moment now);
    /// @throws e  when everything is to wait
    void refused(const store_error& e, const std::vector<store::scheduled_message>& chosen, instant now);
    void forget(store::unit_session& session, const store::scheduled_message& sent, base::moment now);
    void tell(const std::vector<store::scheduled_message>& released) const;
    void trace(const std::vector<store::scheduled_message>& released, base::moment begin) const;

    commit::environment& env_;
    std::string database_;
    release_plan plan_;
    base::wake_signal signal_;
    commit::wake_hub::registration wake_;
};

}  // namespace sluice::engine
