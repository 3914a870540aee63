#pragma once

#include "config/console_settings.hpp"
#include "config/section.hpp"

namespace sluice::config {

/// Reads `[console]` and the sections below it.
void read_console(section console, console_settings& settings);

}  // namespace sluice::config
