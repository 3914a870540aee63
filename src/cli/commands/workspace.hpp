#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <sluice/domain.hpp>

#include "cli/cli.hpp"
#include "cli/terminal/console.hpp"
#include "commit/environment.hpp"
#include "config/check.hpp"
#include "config/configuration.hpp"
#include "consume/route.hpp"

namespace sluice::cli {

/// Options that every command takes.
struct global_options {
    std::string domain;                  ///< `--domain`, else SLUICE_DOMAIN, else empty
    std::string config = "domain.toml";  ///< `--config`
};

/// What the commands share: the program around them, the common options and the output.
struct session {
    const cli_host& host;
    global_options options;
    console out;
};

/// The configuration and its adapters: enough for commands that only look at or repair what is stored.
struct installation {
    config::configuration configuration;
    commit::adapters parts;
};

/// A domain that can run: declared and configured without errors, its databases set up.
struct application {
    std::unique_ptr<domain> declared;
    std::unique_ptr<commit::environment> env;
};

/// The domain is loaded only when the file configures no database, which then has the domain's name.
/// @throws configuration_error with everything that is wrong in the file, or when that domain cannot be loaded
[[nodiscard]] config::configuration load_configuration(const session& in);
/// @throws failure (usage) when no domain is named, configuration_error when it cannot be loaded
[[nodiscard]] std::unique_ptr<domain> load_domain(const session& in);
/// The normalized name of the domain; empty when none is named. @throws configuration_error when it cannot be loaded
[[nodiscard]] std::string domain_name(const session& in);
using config::findings_of;

/// A domain with its databases, its brokers and what it reads of them, whatever state these are in.
struct declared_installation {
    std::unique_ptr<domain> declared;
    std::unique_ptr<commit::environment> env;
    std::vector<consume::route> routes;
};

/// What a command wants of the tables of read models.
enum class read_models {
    required,    ///< absent ones of embedded databases are made; else all must be there, and of this build's layout
    as_they_are  ///< the command is about them
};

/// What a command is about to do with databases and brokers.
enum class intent {
    look,  ///< or repair: what cannot be written may be read
    run    ///< units of work and lanes, which must be able to write
};

/// The configuration, for adapters that may read what they cannot write.
[[nodiscard]] config::configuration looking(config::configuration with);
[[nodiscard]] installation open_installation(const session& in, intent what = intent::look);
/// To look at what is there, like `intent::look`. @throws configuration_error for mistakes in declaration or file
[[nodiscard]] declared_installation open_declared(const session& in);
/// The same for what was loaded already and has no mistakes.
[[nodiscard]] declared_installation open_declared(const session& in, std::unique_ptr<domain> declared,
                                                  config::configuration with);
/// Checks before anything is written: warnings are shown, errors end the command. An embedded database that is empty is
/// set up; one of an older or newer schema is refused.
/// @throws configuration_error, store_error
[[nodiscard]] application open_application(const session& in, read_models tables = read_models::required);

/// One `error CODE: message` block for people.
[[nodiscard]] std::string to_text(const config::finding& found, const console& on);

/// Outbox rows for a broker that no lane serves any more.
struct orphans {
    std::string database;
    std::string broker;
    std::int64_t open = 0;
};

/// @param summary  of one database
[[nodiscard]] std::vector<orphans> find_orphans(const config::outbox_settings& outbox, const std::string& database,
                                                const std::map<std::string, store::outbox_counts>& summary);
[[nodiscard]] config::finding to_finding(const orphans& found);
/// True when rows for this broker are written and carried.
[[nodiscard]] bool is_target(const config::outbox_settings& outbox, const std::string& broker);

}  // namespace sluice::cli
