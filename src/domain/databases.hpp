#pragma once

#include <set>
#include <string>

#include <sluice/registry.hpp>

namespace sluice::detail {

/// The configured names of the databases that have lanes: those that hold aggregates or process managers.
[[nodiscard]] inline std::set<std::string> databases_with_lanes(const registry& domain) {
    std::set<std::string> names;
    for (const auto& [cpp_name, aggregate] : domain.aggregates) names.insert(aggregate.database);
    for (const auto& [cpp_name, process] : domain.processes) names.insert(process.database);
    return names;
}

}  // namespace sluice::detail
