#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <sluice/domain.hpp>
#include <sluice/plugin.hpp>

namespace sluice::app {

/// Where domain libraries are looked for when `--domain` gives a name and no path.
struct search_places {
    std::filesystem::path working_directory;
    std::filesystem::path program_directory;            ///< of the running executable
    std::vector<std::filesystem::path> library_path{};  ///< LD_LIBRARY_PATH
};

[[nodiscard]] search_places places_of_this_process();

/// The files that `which` may mean, best first: only itself when it is a path (it holds a `/`); for the name `shop`
/// libshop.so in the working directory, its build/lib and build, ../lib beside the program, and the library path.
[[nodiscard]] std::vector<std::filesystem::path> candidates(const std::string& which, const search_places& places);

/// Refuses what a library says about itself, unless it is a domain library that was built with this release.
/// @param entry  null when it says nothing; `make` is not looked at
/// @throws configuration_error
void require_fitting(const std::filesystem::path& library, const plugin_entry* entry);

/// True when file and directory belong to the user of this process or to root, and nobody else may write them.
[[nodiscard]] bool is_ours_alone(const std::filesystem::path& file);

/// Loads a domain library and makes its domain. The library stays loaded until the process ends.
/// Of a name, not of a path, what lies in the working directory counts only when it `is_ours_alone`.
/// @throws configuration_error: no such file (with all places searched), not a domain library, built with another
///         Sluice, or its factory threw
[[nodiscard]] std::unique_ptr<domain> load_domain(const std::string& which, const search_places& places);

}  // namespace sluice::app
