#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sluice/time.hpp>

#include "config/configuration.hpp"
#include "store/operations.hpp"

namespace sluice::cli {

/// One line of `sluice status`: a lane as its rows and its lease show it.
struct lane_view {
    std::string database;
    std::string broker;
    bool external = false;
    std::string state{"stopped"};  ///< that of the owner's last report, or `stopped` when nobody owns the lane
    std::string detail{};          ///< last error or reason
    std::string owner{};           ///< empty when stopped
    std::int64_t pending = 0;
    std::int64_t failed = 0;
    std::int64_t abandoned = 0;
    std::int64_t published = 0;         ///< rows that are still kept
    std::optional<date_time> oldest{};  ///< creation of the oldest unconfirmed row
    double rate = 0;                    ///< rows per second, lately
    std::optional<date_time> since{};   ///< when the state was entered

    [[nodiscard]] std::int64_t depth() const noexcept { return pending + failed; }
};

/// The lanes that the configuration asks for, in its order: internal first. Pure; needs no running engine.
/// @param database  name of the database that `counts` and `leases` come from
[[nodiscard]] std::vector<lane_view> view_lanes(const config::outbox_settings& outbox, const std::string& database,
                                                const std::map<std::string, store::outbox_counts>& counts,
                                                const std::vector<store::lane_status>& leases, date_time now);

}  // namespace sluice::cli
