#include "commit/environment.hpp"

#include <sluice/error.hpp>

namespace sluice::commit {

environment::environment(const detail::registry& domain, config::configuration configuration, adapters parts,
                         const clock& time, base::random_source& random, base::sleeper& pauses)
    : domain_{domain},
      configuration_{std::move(configuration)},
      parts_{std::move(parts)},
      clock_{time},
      random_{random},
      pauses_{pauses},
      tracer_{domain.name, time} {
    for (const auto& [name, database] : parts_.databases) {
        pools_.emplace(name, std::make_unique<session_pool>(database));
    }
    for (const trace_subscriber& subscriber : domain_.trace_subscribers) tracer_.subscribe(subscriber);
}

environment::~environment() = default;

session_pool& environment::sessions(std::string_view database) {
    const auto found = pools_.find(database);
    if (found == pools_.end()) {
        throw configuration_error{"database `" + std::string{database} + "` is not configured; add [databases." +
                                  std::string{database} + "] to domain.toml"};
    }
    return *found->second;
}

broker::broker& environment::broker(std::string_view name) const {
    const auto found = parts_.brokers.find(name);
    if (found == parts_.brokers.end()) {
        throw configuration_error{"broker `" + std::string{name} + "` is not configured; add [brokers." +
                                  std::string{name} + "] to domain.toml"};
    }
    return *found->second;
}

}  // namespace sluice::commit
