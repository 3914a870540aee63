#include "app/compose.hpp"

#include <algorithm>

#include <sluice/error.hpp>

#include "app/adapters.hpp"
#include "base/random.hpp"

namespace sluice::app {

namespace {

/// @param section  databases or brokers
/// @param settings  of one of them
template <class Provider, class Settings>
auto make(std::span<const Provider* const> all, const char* section, const Settings& settings) {
    const auto found = std::ranges::find(all, settings.provider, [](const Provider* each) { return each->name(); });
    if (found != all.end()) return (*found)->make(settings);
    throw configuration_error{section + ('.' + settings.name) + ": provider \"" + settings.provider +
                              "\" is not part of this build"};
}

}  // namespace

config::providers available_providers() {
    return {.databases = {stores().begin(), stores().end()}, .brokers = {brokers().begin(), brokers().end()}};
}

commit::adapters make_adapters(const config::configuration& configuration) {
    commit::adapters made;
    for (const auto& [name, settings] : configuration.databases) {
        made.databases.emplace(name, make(stores(), "databases", settings));
    }
    for (const auto& [name, settings] : configuration.brokers) {
        made.brokers.emplace(name, make(brokers(), "brokers", settings));
    }
    return made;
}

std::unique_ptr<commit::environment> compose(const detail::registry& domain, config::configuration configuration) {
    commit::adapters parts = make_adapters(configuration);
    return std::make_unique<commit::environment>(domain, std::move(configuration), std::move(parts), system_clock(),
                                                 base::system_random());
}

}  // namespace sluice::app
