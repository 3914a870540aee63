#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/provider.hpp"

namespace sluice::config {

/// The providers that the loader may choose from: those of this build, as the composition root lists them.
struct providers {
    std::vector<const database_provider*> databases{};
    std::vector<const broker_provider*> brokers{};
};

/// Every provider that Sluice has a name for, whether or not this build contains it.
[[nodiscard]] std::span<const std::string_view> known_databases();
[[nodiscard]] std::span<const std::string_view> known_brokers();

template <class Provider>
[[nodiscard]] std::vector<std::string> names_of(const std::vector<const Provider*>& all) {
    std::vector<std::string> names;
    names.reserve(all.size());
    for (const Provider* const each : all) names.emplace_back(each->name());
    return names;
}

/// Null when it is not among them.
template <class Provider>
[[nodiscard]] const Provider* find_provider(const std::vector<const Provider*>& all, std::string_view name) {
    const auto found = std::ranges::find(all, name, [](const Provider* each) { return each->name(); });
    return found == all.end() ? nullptr : *found;
}

}  // namespace sluice::config
