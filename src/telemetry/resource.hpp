#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sluice/span.hpp>

#include "config/configuration.hpp"

namespace sluice::telemetry {

/// What all spans and metrics of a process come from: `service.name`, `host.name`, …
struct resource {
    std::vector<span_attribute> attributes{};
};

/// What tells one process from others.
struct process_identity {
    std::string host{};
    std::int64_t pid = 0;
    std::string instance{};  ///< unique
};

[[nodiscard]] process_identity identity_of_this_process();

/// What the configuration names wins over what is known anyway. Pure.
/// @param domain  the name of the service when the configuration has none
[[nodiscard]] resource make_resource(const config::telemetry_settings& with, const std::string& domain,
                                     const process_identity& process);

}  // namespace sluice::telemetry
