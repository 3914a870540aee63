#pragma once

#include <filesystem>
#include <vector>

#include "config/configuration.hpp"
#include "config/document.hpp"
#include "config/section.hpp"

namespace sluice::config {

/// Reads `[telemetry]`.
/// @param base_directory  where relative names of files start
void read_telemetry(section in, const std::filesystem::path& base_directory, configuration& into);

/// Where `[telemetry]` is enabled: what the environment variables of OpenTelemetry say becomes the value of each key
/// that the file does not set. `OTEL_SDK_DISABLED=true` switches it off.
/// @param sections  substituted; the top of the configuration
void add_telemetry_variables(node& sections, const variable_lookup& variables, std::vector<problem>& found);

}  // namespace sluice::config
