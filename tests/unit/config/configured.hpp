#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "app/compose.hpp"
#include "config/configuration.hpp"
#include "config/providers.hpp"

/// Configurations that no file was read for.
namespace sluice::config {

/// A build that has these adapters only.
inline providers build_with(const std::vector<std::string_view>& databases,
                            const std::vector<std::string_view>& brokers) {
    providers all = app::available_providers();
    const auto keep = [](auto& kinds, const auto& names) {
        std::erase_if(kinds, [&](const auto* kind) { return std::ranges::find(names, kind->name()) == names.end(); });
    };
    keep(all.databases, databases);
    keep(all.brokers, brokers);
    return all;
}

inline database_settings configured_database(const std::string& provider, const std::string& uri = {},
                                             const option_texts& options = {}) {
    return {.name = "default",
            .provider = provider,
            .database_uri = uri,
            .path = {},
            .options = options,
            .kind = find_provider(app::available_providers().databases, provider)};
}

inline broker_settings configured_broker(const std::string& provider, const std::string& uri = {},
                                         const option_texts& options = {}) {
    return {.name = "default",
            .provider = provider,
            .uri = uri,
            .options = options,
            .kind = find_provider(app::available_providers().brokers, provider)};
}

}  // namespace sluice::config
