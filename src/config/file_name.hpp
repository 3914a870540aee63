#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "config/section.hpp"

namespace sluice::config {

/// Reads the name of a file. The value that is told is the absolute one.
/// @param base_directory  where relative names start
/// @param file  becomes absolute; stays as it is where the key is not set, or empty
void read_file_name(section& in, std::string_view key, const std::filesystem::path& base_directory, std::string& file);

}  // namespace sluice::config
