#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <sluice/time.hpp>

#include "config/check.hpp"
#include "config/configuration.hpp"
#include "operate/databases.hpp"
#include "operate/status.hpp"
#include "store/operations.hpp"
#include "store/server_state.hpp"

/// What a running installation shows, as findings: each with the thing, what it means and what to do. All pure.
namespace sluice::operate {

/// The database is not set up, or of another build. @returns nothing to tell when it is of this build
[[nodiscard]] std::vector<config::finding> schema_findings(const schema_view& schema);

/// Lanes without an owner, at rest or held up; transactions that hold them; rows that were given up, dead letters,
/// timers that are overdue, names that two processes share. Databases and brokers that are away. What other checks tell
/// (rows and groups without a reader) is not repeated.
[[nodiscard]] std::vector<config::finding> status_findings(const status_view& status);

/// A server that was asked, and the times of this machine around the question.
struct asked_server {
    date_time before;
    store::server_state state;
    date_time after;
};

/// The clock of the server differs from that of this machine by more than the time of asking explains and two seconds;
/// few connections are left.
[[nodiscard]] std::vector<config::finding> server_findings(const std::string& database, const asked_server& asked);

/// What tells whether old rows, marks and outcomes are removed.
struct kept_for_long {
    std::string database;
    std::vector<store::outbox_row> oldest{};   ///< some of each broker
    std::vector<store::lane_status> leases{};  ///< all, that of the maintenance among them
    date_time at;
};

/// Rows that ought to be gone by now, and a maintenance that has not run although engines do. A round may be late by
/// two of its intervals.
[[nodiscard]] std::vector<config::finding> retention_findings(const config::outbox_settings& outbox,
                                                              const kept_for_long& seen);

}  // namespace sluice::operate
