#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include "base/wake.hpp"
#include "commit/environment.hpp"

namespace sluice::engine {

/// What has to be done now and then for each database, whatever the number of engines: forgets old inbox marks and
/// expired outcomes of commands, and warns of outbox rows whose broker is no longer configured, which no lane will ever
/// carry.
///
/// Marks and outcomes are deleted in bounded batches, by one engine at a time: the lease `maintenance` of the database
/// decides which.
///
/// Thread safety: belongs to one thread. Lifetime: `env` must outlive it.
class maintenance {
public:
    /// @param owner  of the lease; no other living engine has it
    maintenance(commit::environment& env, std::string owner) : env_{env}, owner_{std::move(owner)} {}

    /// One round at once, then one each `outbox.cleanup.interval_seconds`, until the stop.
    void run(const std::stop_token& stop);

    /// One round. Trouble with one database is logged and does not keep the others from their turn.
    void round(const std::stop_token& stop = {});

private:
    void report_orphans(std::string_view name, store::database& database) const;
    void forget_what_expired(store::database& database, const std::stop_token& stop) const;

    commit::environment& env_;
    std::string owner_;
    base::wake_signal signal_;
};

}  // namespace sluice::engine
