#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include <sluice/json.hpp>

#include "config/configuration.hpp"
#include "config/console_settings.hpp"
#include "config/document.hpp"
#include "config/problems.hpp"
#include "config/providers.hpp"
#include "config/setting.hpp"

namespace sluice::config {

/// Name of the environment variable that selects an overlay: with `SLUICE_ENV=production` the sections below
/// `[production]` are laid over those of the file.
inline constexpr const char* environment_variable = "SLUICE_ENV";

/// The normalized name of the domain, asked only when the file configures no database; empty when no domain is known.
using domain_lookup = std::function<std::string()>;

/// For a caller without a domain.
[[nodiscard]] std::string no_domain();

/// Reads domain.toml: substitutes variables, lays the environment's section over the rest, and checks every value.
/// Nothing but the file (and the links in the directories it names) is touched. Without any [databases.NAME] the
/// database `default` is the SQLite file DOMAIN.db beside the configuration.
///
/// @param file  relative database and broker files are resolved from its directory
/// @param available  those of this build; the configuration points to them
/// @param domain  names the built-in database; may throw
/// @throws invalid_configuration with everything that is wrong, not just the first thing
[[nodiscard]] configuration load(const std::filesystem::path& file, const providers& available,
                                 const variable_lookup& variables = process_variable,
                                 const domain_lookup& domain = no_domain);

/// A configuration with all of its keys.
struct explained_configuration {
    configuration values;
    std::vector<effective_setting> settings;  ///< each key once, section by section
    console_settings console{};
};

/// `load`, and what every key comes to: also those that the file does not set.
/// @throws invalid_configuration with everything that is wrong
[[nodiscard]] explained_configuration explain(const std::filesystem::path& file, const providers& available,
                                              const variable_lookup& variables = process_variable,
                                              const domain_lookup& domain = no_domain);

/// `explain` for a text that is already in memory.
[[nodiscard]] explained_configuration explain_text(std::string_view text, const std::filesystem::path& file,
                                                   const providers& available, const variable_lookup& variables,
                                                   const domain_lookup& domain = no_domain);

/// What is wrong in the overlay of one environment.
struct overlay_problems {
    std::string environment;
    std::vector<problem> problems;
};

/// Reads the file once for each environment that it knows besides the current one, and tells what would be wrong there.
/// Variables that are not set here do not count.
/// @throws invalid_configuration  the file cannot be read at all
[[nodiscard]] std::vector<overlay_problems> check_overlays(const std::filesystem::path& file,
                                                           const providers& available,
                                                           const variable_lookup& variables = process_variable,
                                                           const domain_lookup& domain = no_domain);

/// `load` for a text that is already in memory; `file` is only its name and place.
[[nodiscard]] configuration parse(std::string_view text, const std::filesystem::path& file, const providers& available,
                                  const variable_lookup& variables, const domain_lookup& domain = no_domain);

/// The same keys from a program: one object for each section. Texts stand as they are, without substitution, and no
/// environment is laid over them.
/// @param base_directory  relative database and broker files are resolved from it
/// @throws invalid_configuration with everything that is wrong
[[nodiscard]] configuration from_values(const json::object& values, const std::filesystem::path& base_directory,
                                        const providers& available, const domain_lookup& domain = no_domain);

/// `from_values`, and what every key comes to.
[[nodiscard]] explained_configuration explain_values(const json::object& values,
                                                     const std::filesystem::path& base_directory,
                                                     const providers& available,
                                                     const domain_lookup& domain = no_domain);

}  // namespace sluice::config
