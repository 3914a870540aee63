#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <sluice/json.hpp>

#include "config/check.hpp"
#include "config/configuration.hpp"
#include "store/operations.hpp"

namespace sluice::operate {

/// Outbox rows for a broker that no lane serves any more.
struct orphan_rows {
    std::string database;
    std::string broker;
    std::int64_t open = 0;
};

/// True when rows for this broker are written and carried.
[[nodiscard]] bool is_target(const config::outbox_settings& outbox, const std::string& broker);

/// Pure.
/// @param summary  of one database
[[nodiscard]] std::vector<orphan_rows> find_orphan_rows(const config::outbox_settings& outbox,
                                                        const std::string& database,
                                                        const std::map<std::string, store::outbox_counts>& summary);
[[nodiscard]] config::finding to_finding(const orphan_rows& found);
[[nodiscard]] json::value to_json(const orphan_rows& found);

}  // namespace sluice::operate
