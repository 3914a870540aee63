#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sluice/time.hpp>

#include "config/configuration.hpp"
#include "store/lane_name.hpp"
#include "store/operations.hpp"

namespace sluice::cli {

/// One line of `sluice status`: a lane as its rows and its lease show it.
struct lane_view {
    std::string database;
    std::string broker;
    bool external = false;
    std::string state{"stopped"};  ///< that of the owner's last report, or `stopped` when nobody owns the lane
    std::string detail{};          ///< last error or reason
    std::string owner{};           ///< empty when stopped, or when shards have different ones
    std::int64_t pending = 0;
    std::int64_t failed = 0;
    std::int64_t abandoned = 0;
    std::int64_t published = 0;         ///< rows that are still kept
    std::optional<date_time> oldest{};  ///< creation of the oldest unconfirmed row
    double rate = 0;                    ///< rows per second, lately
    std::optional<date_time> since{};   ///< when the state was entered
    /// The lowest number of the log that a running transaction may still fill; a lane in strict order waits there.
    std::optional<store::sequence> horizon{};
    std::int64_t overtaken = 0;  ///< rows published behind later ones, since the owner took the lane

    std::vector<lane_view> shards{};  ///< of a lane in shards, without counts; the lane shows the worst of them
    store::shard part{};

    [[nodiscard]] std::int64_t depth() const noexcept { return pending + failed; }
};

/// The lanes that the configuration asks for, in its order: internal first. Pure; needs no running engine.
/// @param database  name of the database that `counts` and `leases` come from
[[nodiscard]] std::vector<lane_view> view_lanes(const config::outbox_settings& outbox, const std::string& database,
                                                const std::map<std::string, store::outbox_counts>& counts,
                                                const std::vector<store::lane_status>& leases, date_time now);

/// Of the transactions that write to the log those that hold a lane's horizon: what commits as usual takes no second.
[[nodiscard]] std::vector<store::open_writer> long_writers(std::vector<store::open_writer> writers);

/// `pid 4242, open for 3m 12s (psql, idle in transaction)`; the first three, and how many more.
[[nodiscard]] std::string writers_text(const std::vector<store::open_writer>& writers);

}  // namespace sluice::cli
