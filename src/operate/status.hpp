#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <sluice/json.hpp>
#include <sluice/time.hpp>

#include "broker/operations.hpp"
#include "operate/installation.hpp"
#include "operate/lanes.hpp"
#include "operate/orphan_rows.hpp"
#include "operate/outage.hpp"
#include "operate/subscriptions.hpp"

namespace sluice::operate {

/// A consumer group that a broker knows, whether or not a handler of this domain reads for it.
struct located_group {
    std::string broker;
    broker::group_status group;
};

/// What lanes of one database wait for.
struct held_lanes {
    bool strict = false;  ///< they publish nothing above the horizon; otherwise they only keep a place for it
    std::vector<store::open_writer> by{};
};

/// Scheduled messages that ought to have been released: no server runs, or its schedule is stuck.
struct overdue_schedule {
    /// More are not looked for.
    static constexpr std::size_t most = 1000;

    std::string database;
    std::size_t messages = 0;  ///< at most `most`
    date_time since;           ///< when the first of them was due
};

/// How an installation is: its lanes, its consumer groups, and what is left behind.
struct status_view {
    date_time at;
    std::vector<lane_view> lanes{};
    std::map<std::string, held_lanes> held{};           ///< by database
    std::map<std::string, std::int64_t> order_waits{};  ///< by database, where commits may overlap: milliseconds
    std::vector<located_group> groups{};
    std::vector<overdue_schedule> overdue{};
    std::vector<orphan_rows> orphaned{};
    std::vector<orphan_group> orphaned_groups{};  ///< known only when a domain is known
    std::string not_checked{};  ///< why groups without a handler were not looked for: mistakes in the declaration
    std::vector<outage> outages{};

    /// What the lane waits for at its horizon; null when there is nothing to tell.
    [[nodiscard]] const held_lanes* holders_of(const lane_view& lane) const;
};

/// Needs no running engine. A database or broker that is away is named in the answer and hides no other.
/// @throws request_error, configuration_error
[[nodiscard]] status_view read_status(const site& at);
/// Only what the databases tell, of what is open already. @param declared  null: no domain is known
[[nodiscard]] status_view read_lanes(const installation& with, const declared_installation* declared, date_time now);
/// The whole of what is open already.
[[nodiscard]] status_view read_status(const installation& with, const declared_installation* declared, date_time now);
[[nodiscard]] json::value to_json(const status_view& status);

}  // namespace sluice::operate
