#include "app/plugin_loader.hpp"

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include <sluice/error.hpp>
#include <sluice/plugin.hpp>

#include "base/one_line.hpp"

namespace sluice::app {

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> split_path_list(std::string_view list) {
    std::vector<fs::path> paths;
    while (!list.empty()) {
        const auto end = std::min(list.find(':'), list.size());
        if (end > 0) paths.emplace_back(list.substr(0, end));
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return paths;
}

bool is_below(const fs::path& file, const fs::path& directory) {
    const auto [rest, end] = std::mismatch(directory.begin(), directory.end(), file.begin(), file.end());
    return rest == directory.end();
}

fs::path find_library(const std::string& which, const search_places& places) {
    const bool is_path = which.find('/') != std::string::npos;
    std::string searched;
    for (const fs::path& candidate : candidates(which, places)) {
        std::error_code ignored;
        searched += "\n  " + candidate.string();
        if (!fs::is_regular_file(candidate, ignored)) continue;
        // A name is not meant to run what somebody else has put where the caller happens to be; a path is.
        const bool by_chance = !is_path && is_below(candidate, places.working_directory);
        if (!by_chance || is_ours_alone(candidate)) return candidate;
        searched +=
            " (there, but not loaded: it or its directory belongs to or can be written by another user; if it is "
            "meant, give --domain its path, for example ./" +
            candidate.lexically_relative(places.working_directory).string() + ")";
    }
    throw configuration_error{"domain library `" + which + "` was not found; searched:" + searched +
                              "\nBuild it, or give --domain the path of the file"};
}

/// `0.1` of `0.1.3`: within one of these, libraries and programs fit together.
std::string_view release_of(std::string_view version) { return version.substr(0, version.rfind('.')); }

const plugin_entry& entry_of(const fs::path& library) {
    // RTLD_NODELETE: the domain's functions and types are in use until the process ends.
    void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (handle == nullptr) {
        const char* reason = dlerror();  // NOLINT(concurrency-mt-unsafe): at start, before there are threads
        throw configuration_error{
            "domain library " + library.string() +
            " cannot be loaded: " + (reason != nullptr ? reason : "unknown reason") +
            "\nIs it a library for this machine, built with this Sluice, and are the libraries it "
            "needs there?"};
    }
    using entry_function = const plugin_entry* (*)();
    const auto get_entry = reinterpret_cast<entry_function>(dlsym(handle, plugin_symbol));
    const plugin_entry* entry = get_entry != nullptr ? get_entry() : nullptr;
    require_fitting(library, entry);
    return *entry;
}

}  // namespace

void require_fitting(const fs::path& library, const plugin_entry* entry) {
    if (entry == nullptr || entry->magic != plugin_magic || entry->version == nullptr) {
        throw configuration_error{library.string() +
                                  " is no domain library; name its factory with SLUICE_DOMAIN(your::make_domain)"};
    }
    if (release_of(entry->version) == release_of(version())) return;
    throw configuration_error{"domain library " + library.string() + " was built with Sluice " +
                              base::one_line(entry->version, 40) + ", but this is " + version() +
                              "; rebuild it with this version"};
}

search_places places_of_this_process() {
    std::error_code ignored;
    search_places places{.working_directory = fs::current_path(ignored),
                         .program_directory = fs::read_symlink("/proc/self/exe", ignored).parent_path()};
    const char* list = std::getenv("LD_LIBRARY_PATH");  // NOLINT(concurrency-mt-unsafe): read at start
    if (list != nullptr) places.library_path = split_path_list(list);
    return places;
}

std::vector<fs::path> candidates(const std::string& which, const search_places& places) {
    if (which.find('/') != std::string::npos) return {places.working_directory / which};
    const bool is_file_name = which.find(".so") != std::string::npos;
    const std::string file = is_file_name ? which : "lib" + which + ".so";
    std::vector<fs::path> files{places.working_directory / file, places.working_directory / "build" / "lib" / file,
                                places.working_directory / "build" / file};
    if (!places.program_directory.empty()) {
        files.push_back((places.program_directory / ".." / "lib" / file).lexically_normal());
    }
    for (const fs::path& directory : places.library_path) files.push_back(directory / file);
    return files;
}

bool is_ours_alone(const fs::path& file) {
    const auto is_ours = [](const fs::path& path) {
        struct stat status {};
        return ::stat(path.c_str(), &status) == 0 && (status.st_uid == ::geteuid() || status.st_uid == 0) &&
               (status.st_mode & S_IWOTH) == 0 && ((status.st_mode & S_IWGRP) == 0 || status.st_gid == ::getegid());
    };
    return is_ours(file) && is_ours(file.parent_path());
}

std::unique_ptr<domain> load_domain(const std::string& which, const search_places& places) {
    const fs::path library = find_library(which, places);
    const plugin_entry& entry = entry_of(library);
    try {
        return entry.make();
    } catch (const std::exception& e) {
        throw configuration_error{"the factory of domain library " + library.string() + " failed: " + e.what()};
    } catch (...) {
        throw configuration_error{"the factory of domain library " + library.string() +
                                  " failed with something that is no std::exception"};
    }
}

}  // namespace sluice::app
