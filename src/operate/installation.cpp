#include "operate/installation.hpp"

#include <utility>

#include "base/random.hpp"
#include "config/loader.hpp"
#include "engine/schemas.hpp"
#include "operate/request_error.hpp"
#include "projection/read_model_setup.hpp"
#include "telemetry/recording.hpp"

namespace sluice::operate {

config::configuration load_configuration(const site& at) {
    return config::load(at.config, at.program.providers(), config::process_variable, [&at] { return domain_name(at); });
}

std::unique_ptr<domain> load_domain(const site& at) {
    if (!at.knows_domain()) {
        throw wrong_request("no domain is named; add --domain=PATH_OR_NAME or set SLUICE_DOMAIN");
    }
    return at.program.load_domain(at.domain);
}

std::string domain_name(const site& at) {
    return at.knows_domain() ? load_domain(at)->declared().normalized : std::string{};
}

config::configuration looking(config::configuration with) {
    for (auto& [name, database] : with.databases) database.look_only = true;
    for (auto& [name, broker] : with.brokers) broker.look_only = true;
    return with;
}

installation open_installation(const site& at, intent what) {
    config::configuration with = load_configuration(at);
    installation opened{what == intent::look ? looking(std::move(with)) : std::move(with), {}};
    opened.parts = at.program.make_adapters(opened.configuration);
    return opened;
}

declared_installation open_declared(const site& at, std::unique_ptr<domain> declared, config::configuration with) {
    declared_installation opened{.declared = std::move(declared), .env = nullptr, .routes = {}};
    with = looking(std::move(with));
    commit::adapters parts = at.program.make_adapters(with);
    opened.env = std::make_unique<commit::environment>(opened.declared->declared(), std::move(with), std::move(parts),
                                                       system_clock(), base::system_random());
    projection::look_up_readers(*opened.env);
    opened.routes = consume::routes_of(*opened.env);
    return opened;
}

declared_installation open_declared(const site& at) {
    std::unique_ptr<domain> declared = load_domain(at);
    config::configuration with = load_configuration(at);
    config::require_no_errors(config::findings_of(*declared, with));
    return open_declared(at, std::move(declared), std::move(with));
}

loaded_application load_application(const site& at) {
    std::unique_ptr<domain> declared = load_domain(at);
    installation with = open_installation(at, intent::run);
    auto found = config::findings_of(*declared, with.configuration);
    return {.declared = std::move(declared), .with = std::move(with), .found = std::move(found)};
}

application open_application(loaded_application loaded, read_models tables) {
    config::require_no_errors(loaded.found);
    auto& [configuration, parts] = loaded.with;
    const auto& domain = loaded.declared->declared();
    engine::require_current_schemas(domain, configuration, parts, "run `sluice db setup`");
    application opened{.declared = std::move(loaded.declared), .env = nullptr};
    opened.env = std::make_unique<commit::environment>(domain, std::move(configuration), std::move(parts),
                                                       system_clock(), base::system_random());
    if (tables == read_models::required) projection::require_read_models(*opened.env);
    opened.exporter = telemetry::begin_recording(opened.env->tracer(), {.with = opened.env->configuration().telemetry,
                                                                        .domain = domain.name,
                                                                        .time = opened.env->time(),
                                                                        .random = opened.env->random()});
    return opened;
}

}  // namespace sluice::operate
