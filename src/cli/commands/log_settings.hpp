#pragma once

#include "config/configuration.hpp"
#include "observe/log.hpp"

namespace sluice::cli {

/// `[log]` for the logger.
[[nodiscard]] observe::log_settings to_log_settings(const config::log_section& from);

}  // namespace sluice::cli
