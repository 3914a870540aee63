#pragma once

#include <filesystem>

#include "config/configuration.hpp"
#include "config/console_settings.hpp"
#include "config/section.hpp"

namespace sluice::config {

/// Reads `[console]` and the sections below it.
/// @param base_directory  where relative names of files start
void read_console(section console, const std::filesystem::path& base_directory, console_settings& settings,
                  console_tls_settings& tls);

}  // namespace sluice::config
