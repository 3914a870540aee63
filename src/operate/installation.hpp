#pragma once

#include <memory>
#include <string>
#include <vector>

#include <sluice/domain.hpp>

#include "commit/environment.hpp"
#include "config/check.hpp"
#include "config/configuration.hpp"
#include "consume/route.hpp"
#include "operate/host.hpp"
#include "telemetry/exporter.hpp"

/// An installation: a configuration, its databases and brokers, and the domain that works there.
namespace sluice::operate {

/// Where an installation is found. Lifetime: the host must outlive it and everything that is opened with it.
struct site {
    const host& program;
    std::string domain{};               ///< path or name of its library; empty: none is named, or it is linked in
    std::string config{"domain.toml"};  ///< the file

    /// True when the domain can be loaded: it is named or linked in.
    [[nodiscard]] bool knows_domain() const { return !program.loads_domains() || !domain.empty(); }
};

/// The configuration and its adapters: enough for all that only looks at or repairs what is stored.
struct installation {
    config::configuration configuration;
    commit::adapters parts;
};

/// A domain with its databases, its brokers and what it reads of them, whatever state these are in.
struct declared_installation {
    std::unique_ptr<domain> declared;
    std::unique_ptr<commit::environment> env;
    std::vector<consume::route> routes;
};

/// A domain that is declared and configured, before anything of it runs.
struct loaded_application {
    std::unique_ptr<domain> declared;
    installation with;
    std::vector<config::finding> found;  ///< errors forbid to go on; warnings are for the operator
};

/// A domain that can run: declared and configured without errors, its databases set up.
struct application {
    std::unique_ptr<domain> declared;
    std::unique_ptr<commit::environment> env;
    std::unique_ptr<telemetry::exporter> exporter{};  ///< null while `[telemetry]` is not enabled; gone first
};

/// What is about to be done with databases and brokers.
enum class intent {
    look,  ///< or repair: what cannot be written may be read
    run    ///< units of work and lanes, which must be able to write
};

/// What is wanted of the tables of read models.
enum class read_models {
    required,    ///< absent ones of embedded databases are made; else all must be there, and of this build's layout
    as_they_are  ///< it is about them
};

/// The domain is loaded only when the file configures no database, which then has the domain's name.
/// @throws configuration_error with everything that is wrong in the file, or when that domain cannot be loaded
[[nodiscard]] config::configuration load_configuration(const site& at);
/// @throws request_error when no domain is named, configuration_error when it cannot be loaded
[[nodiscard]] std::unique_ptr<domain> load_domain(const site& at);
/// The normalized name of the domain; empty when none is named. @throws configuration_error when it cannot be loaded
[[nodiscard]] std::string domain_name(const site& at);

/// The configuration, for adapters that may read what they cannot write.
[[nodiscard]] config::configuration looking(config::configuration with);
/// @throws configuration_error
[[nodiscard]] installation open_installation(const site& at, intent what = intent::look);
/// To look at what is there, like `intent::look`. @throws configuration_error for mistakes in declaration or file
[[nodiscard]] declared_installation open_declared(const site& at);
/// The same for what was loaded already and has no mistakes.
[[nodiscard]] declared_installation open_declared(const site& at, std::unique_ptr<domain> declared,
                                                  config::configuration with);

/// To run it. Opens nothing yet, so that warnings can be told before anything is written.
/// @throws request_error, configuration_error
[[nodiscard]] loaded_application load_application(const site& at);
/// An embedded database that is empty is set up; one of an older or newer schema is refused.
/// @throws configuration_error for what was found to be an error; store_error
[[nodiscard]] application open_application(loaded_application loaded, read_models tables = read_models::required);

}  // namespace sluice::operate
