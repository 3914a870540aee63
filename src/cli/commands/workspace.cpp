#include "cli/commands/workspace.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/random.hpp"
#include "cli/terminal/failure.hpp"
#include "cli/terminal/units.hpp"
#include "config/loader.hpp"
#include "engine/schemas.hpp"
#include "projection/read_model_setup.hpp"

namespace sluice::cli {

namespace {

/// Refuses what the declaration or the configuration gets wrong, and shows the rest.
void judge(const session& in, const std::vector<config::finding>& found) {
    for (const config::finding& each : found) {
        if (each.level != config::severity::warning) continue;
        in.out.warn(fmt::format("{}: {}\n  {}", each.code, each.message, each.remedy));
    }
    config::require_no_errors(found);
}

}  // namespace

config::configuration load_configuration(const session& in) {
    return config::load(in.options.config, in.host.providers(), config::process_variable,
                        [&in] { return domain_name(in); });
}

std::unique_ptr<domain> load_domain(const session& in) {
    if (in.host.loads_domains() && in.options.domain.empty()) {
        throw wrong_usage("no domain is named; add --domain=PATH_OR_NAME or set SLUICE_DOMAIN");
    }
    return in.host.load_domain(in.options.domain);
}

std::string domain_name(const session& in) {
    if (in.host.loads_domains() && in.options.domain.empty()) return {};
    return load_domain(in)->declared().normalized;
}

config::configuration looking(config::configuration with) {
    for (auto& [name, database] : with.databases) database.look_only = true;
    for (auto& [name, broker] : with.brokers) broker.look_only = true;
    return with;
}

installation open_installation(const session& in, intent what) {
    config::configuration with = load_configuration(in);
    installation opened{what == intent::look ? looking(std::move(with)) : std::move(with), {}};
    opened.parts = in.host.make_adapters(opened.configuration);
    return opened;
}

declared_installation open_declared(const session& in, std::unique_ptr<domain> declared, config::configuration with) {
    declared_installation opened{.declared = std::move(declared), .env = nullptr, .routes = {}};
    with = looking(std::move(with));
    commit::adapters parts = in.host.make_adapters(with);
    opened.env = std::make_unique<commit::environment>(opened.declared->declared(), std::move(with), std::move(parts),
                                                       system_clock(), base::system_random());
    projection::look_up_readers(*opened.env);
    opened.routes = consume::routes_of(*opened.env);
    return opened;
}

declared_installation open_declared(const session& in) {
    std::unique_ptr<domain> declared = load_domain(in);
    config::configuration with = load_configuration(in);
    config::require_no_errors(findings_of(*declared, with));
    return open_declared(in, std::move(declared), std::move(with));
}

application open_application(const session& in, read_models tables) {
    application opened;
    opened.declared = load_domain(in);
    installation with = open_installation(in, intent::run);
    judge(in, findings_of(*opened.declared, with.configuration));
    engine::require_current_schemas(opened.declared->declared(), with.configuration, with.parts,
                                    "run `sluice db setup`");
    opened.env = std::make_unique<commit::environment>(opened.declared->declared(), std::move(with.configuration),
                                                       std::move(with.parts), system_clock(), base::system_random());
    if (tables == read_models::required) projection::require_read_models(*opened.env);
    return opened;
}

std::string to_text(const config::finding& found, const console& on) {
    const bool is_error = found.level == config::severity::error;
    std::string text = on.paint(config::to_string(found.level), is_error ? tone::bad : tone::caution) + " " +
                       safe_lines(found.code) + "  " + safe_lines(found.message) + "\n";
    if (!found.remedy.empty()) text += indented(found.remedy, 2) + "\n";
    return text;
}

bool is_target(const config::outbox_settings& outbox, const std::string& broker) {
    const auto& external = outbox.external_brokers;
    return broker == outbox.broker || std::find(external.begin(), external.end(), broker) != external.end();
}

std::vector<orphans> find_orphans(const config::outbox_settings& outbox, const std::string& database,
                                  const std::map<std::string, store::outbox_counts>& summary) {
    std::vector<orphans> found;
    for (const auto& [broker, counts] : summary) {
        std::int64_t open = 0;
        for (const auto& [status, count] : counts.by_status) open += store::is_open(status) ? count : 0;
        if (open > 0 && !is_target(outbox, broker)) found.push_back({database, broker, open});
    }
    return found;
}

config::finding to_finding(const orphans& found) {
    return {.level = config::severity::warning,
            .code = "ORPHANED_ROWS",
            .element = found.database + ":" + found.broker,
            .message = fmt::format("{} outstanding in database {} for broker \"{}\", which the outbox no longer serves",
                                   count_of(found.open, "row"), found.database, found.broker),
            .remedy = fmt::format("list it in [outbox] again to have them sent, or give them up with: sluice outbox "
                                  "retire {}",
                                  found.broker)};
}

}  // namespace sluice::cli
