#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sluice/time.hpp>

#include "config/configuration.hpp"
#include "store/lane_name.hpp"
#include "store/operations.hpp"

namespace sluice::http {

/// One shard of a lane.
struct shard_health {
    store::shard part{};
    std::string state{};
    std::string detail{};
};

/// A lane as its lease and its rows show it, whichever process owns it.
struct lane_health {
    std::string database{};
    std::string broker{};
    bool external = false;
    std::string state{"unknown"};          ///< of its owner's last report; `stopped` when nobody owns it
    std::string detail{};                  ///< last error or reason
    std::vector<shard_health> shards{};    ///< of a lane in shards, when known; the worst is the state of the lane
    std::optional<std::int64_t> open{};    ///< unconfirmed rows; empty when not known
    std::optional<std::int64_t> failed{};  ///< of those: refused, waiting for another attempt
    std::optional<std::int64_t> abandoned{};
    std::optional<duration> oldest{};  ///< age of the oldest unconfirmed row
};

/// What one database says of its lanes and its schedule.
struct lane_sources {
    bool known = false;  ///< the database answers; else nothing else here means anything
    std::vector<store::lane_status> leases{};
    std::optional<std::map<std::string, store::outbox_counts>> counts{};  ///< empty before the first count
    /// The oldest transaction that has written events and not ended, when there is one that lasts.
    std::optional<store::open_writer> writer{};
    std::optional<date_time> next_due{};  ///< of the schedule; empty when nothing is scheduled
};

/// Every state a lane can show, healthiest first.
[[nodiscard]] const std::vector<std::string>& lane_states();
/// The place of a state among them: the worse, the higher.
[[nodiscard]] std::ptrdiff_t badness(const std::string& state);

/// The lanes that the configuration asks for, internal first. Pure. Of a lane in shards the worst state counts.
[[nodiscard]] std::vector<lane_health> lanes_of(const config::outbox_settings& outbox, const std::string& database,
                                                const lane_sources& from, date_time now);

}  // namespace sluice::http
