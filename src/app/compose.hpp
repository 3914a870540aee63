#pragma once

#include <memory>

#include <sluice/registry.hpp>

#include "commit/environment.hpp"
#include "config/configuration.hpp"
#include "config/providers.hpp"

/// The composition root: the only place that knows which adapters exist.
namespace sluice::app {

/// The adapters of this build, in alphabetical order.
[[nodiscard]] config::providers available_providers();

/// Makes one adapter for each configured database and broker. Nothing is opened yet.
/// @throws configuration_error when a provider is not part of this build
[[nodiscard]] commit::adapters make_adapters(const config::configuration& configuration);

/// Adapters, the machine's clock and its random source, put together around a domain.
/// @param domain  must outlive the result
[[nodiscard]] std::unique_ptr<commit::environment> compose(const detail::registry& domain,
                                                           config::configuration configuration);

}  // namespace sluice::app
