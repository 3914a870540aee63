#pragma once

#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "base/calendar_watch.hpp"
#include "base/wake.hpp"
#include "commit/environment.hpp"

namespace sluice::engine {

/// What has to be done now and then for each database, whatever the number of engines: forgets old inbox marks and
/// expired outcomes of commands, and warns of outbox rows whose broker is no longer configured, which no lane will ever
/// carry.
///
/// On the brokers it looks for consumer groups of the domain that no handler reads any more: it warns of each once, and
/// lets the broker know that nobody waits for what they have not read. Then the broker removes what it need not keep.
///
/// Marks and outcomes are deleted in bounded batches, by one engine at a time: the lease `maintenance` of the database
/// decides which. What is old, the database's server says, or where there is none, a calendar that did not jump lately.
///
/// Thread safety: belongs to one thread. Lifetime: `env` must outlive it.
class maintenance {
public:
    /// @param owner  of the lease; no other living engine has it
    maintenance(commit::environment& env, std::string owner) : env_{env}, owner_{std::move(owner)} {}

    /// One round at once, then one each `outbox.cleanup.interval_seconds`, until the stop.
    void run(const std::stop_token& stop);

    /// One round. Trouble with one database or broker is logged and does not keep the others from their turn.
    void round(const std::stop_token& stop = {});

private:
    void tidy_broker(const std::string& name, const std::stop_token& stop);
    void report_orphans(std::string_view name, store::database& database) const;
    void forget_what_expired(std::string_view name, store::database& database, const std::stop_token& stop);

    commit::environment& env_;
    std::string owner_;
    base::wake_signal signal_;
    std::map<std::string, base::calendar_watch, std::less<>> calendars_;  ///< by database
    std::set<std::pair<std::string, std::string>> told_;                  ///< orphan groups, by stream and name
};

}  // namespace sluice::engine
