#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace sluice::config {

/// Where a file-based provider keeps its file, or why the text does not say so.
struct file_location {
    std::string path;     ///< absolute; empty when there is a problem
    std::string problem;  ///< what is wrong
    std::string remedy;
};

/// Reads `sqlite:///shop.db` (relative), `sqlite:////var/lib/shop.db` (absolute) and plain paths. Relative ones start
/// at the directory of domain.toml, so that it does not matter where the program is started.
[[nodiscard]] file_location locate_file(std::string_view text, const std::filesystem::path& base_directory);

/// The address of a server in which relative names of files (certificates, keys) start at the directory of domain.toml,
/// too. A text that can be read in two ways stays as it is.
/// @param file_parameters  the parameters of the address that name files
[[nodiscard]] std::string with_absolute_files(const std::string& address,
                                              std::span<const std::string_view> file_parameters,
                                              const std::filesystem::path& base_directory);

}  // namespace sluice::config
