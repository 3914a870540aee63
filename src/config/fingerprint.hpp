#pragma once

#include <filesystem>
#include <string>

namespace sluice::config {

/// A digest of what a configuration file says, overlays included, but for `[log]`: whoever reads the file again learns
/// whether anything but the log has changed. Comments, blanks and line ends do not count, variables stand for
/// themselves.
/// @throws invalid_configuration when it is not TOML, configuration_error when it cannot be read
[[nodiscard]] std::string fingerprint_without_log(const std::filesystem::path& file);

}  // namespace sluice::config
