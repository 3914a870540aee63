#include "config/loader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "base/address_text.hpp"
#include "config/console_section.hpp"
#include "config/file_name.hpp"
#include "config/lane_sections.hpp"
#include "config/location.hpp"
#include "config/printable.hpp"
#include "config/section.hpp"
#include "config/setting_completion.hpp"
#include "config/subscription_sections.hpp"
#include "config/telemetry_section.hpp"

namespace sluice::config {

namespace {

const std::vector<std::string>& section_names() {
    static const std::vector<std::string> names{"brokers", "commands", "console", "databases", "event_sourcing",
                                                "inbox",   "log",      "outbox",  "server",    "telemetry"};
    return names;
}

bool is_section(std::string_view name) {
    const auto& names = section_names();
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// True for a table that holds sections only: the overlay of some environment.
bool looks_like_overlay(const node& value) {
    const auto* members = value.as_table();
    return members != nullptr && !members->empty() &&
           std::all_of(members->begin(), members->end(), [](const auto& m) { return is_section(m.key); });
}

/// Leaves the sections that hold in this environment; reports everything at the top of the file that is none.
node select_environment(node root, const std::string& environment, std::vector<problem>& found) {
    if (is_section(environment)) {
        found.push_back(
            {.message = fmt::format("{}={} names a section, not an environment", environment_variable, environment),
             .remedy = "choose another name, for example production"});
        return root;
    }
    node sections{.value = node::table{}};
    const node* overlay = nullptr;
    std::vector<std::string> overlays;
    for (const auto& [name, value] : *root.as_table()) {
        if (!is_section(name) && looks_like_overlay(value)) overlays.push_back(name);
        if (is_section(name)) {
            sections.as_table()->push_back({name, value});
        } else if (name == environment && value.as_table() != nullptr) {
            overlay = &value;
        } else if (!looks_like_overlay(value)) {
            const bool is_table = value.as_table() != nullptr;
            found.push_back({.line = value.line,
                             .key = join_key("", name),
                             .message = is_table ? "unknown section" : "unknown key at the top of the file",
                             .remedy = did_you_mean(name, section_names(), "sections are")});
        }
    }
    if (overlay == nullptr) {
        if (!environment.empty() && !overlays.empty()) {
            found.push_back({.message = fmt::format("{}={} names no environment of this file", environment_variable,
                                                    printable(environment, 40)),
                             .remedy = did_you_mean(environment, overlays, "environments are")});
        }
        return sections;
    }
    for (const auto& [name, value] : *overlay->as_table()) {
        if (is_section(name)) continue;
        found.push_back({.line = value.line,
                         .key = join_key(environment, name),
                         .message = "unknown section",
                         .remedy = did_you_mean(name, section_names(), "sections are")});
    }
    node known = *overlay;
    std::erase_if(*known.as_table(), [](const auto& m) { return !is_section(m.key); });
    mark_overlaid(known);
    lay_over(sections, known);
    return sections;
}

/// Names end up in lane names, tables and commands.
bool is_plain_name(std::string_view name) {
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    return !name.empty() && name.find_first_not_of(allowed) == std::string_view::npos;
}

void read_table(section in, const provider_option& option, option_texts& options) {
    std::map<std::string, std::string> texts;
    in.all_texts(texts);
    for (const auto& [name, text] : texts) {
        std::string why = option.objection(name);
        if (!why.empty()) in.report(name, "may not be set here: " + std::move(why), "remove it");
        options[std::string{option.key} + '.' + name] = text;
    }
}

/// @param base_directory  where relative names of files start
/// @param options  gets the value that holds, also when the file does not set it
void read_option(section& in, const provider_option& option, const std::filesystem::path& base_directory,
                 option_texts& options) {
    const std::string key{option.key};
    switch (option.what) {
        case provider_option::kind::whole: {
            auto value = static_cast<std::size_t>(std::stoull(option.usual));
            in.whole(key, value, option.lowest, option.highest);
            options[key] = std::to_string(value);
            break;
        }
        case provider_option::kind::choice:
            options[key] = option.usual;
            in.choice(key, options[key], option.words);
            break;
        case provider_option::kind::flag: {
            bool value = option.usual == "true";
            in.flag(key, value);
            options[key] = value ? "true" : "false";
            break;
        }
        case provider_option::kind::text:
            options[key] = option.usual;
            in.text(key, options[key]);
            break;
        case provider_option::kind::secret: {
            std::string value;
            in.text(key, value, sensitivity::secret);
            if (!value.empty()) options[key] = std::move(value);
            break;
        }
        case provider_option::kind::file:
        case provider_option::kind::database: {
            std::string file;
            read_file_name(in, key, base_directory, file);
            if (!file.empty()) options[key] = std::move(file);
            break;
        }
        case provider_option::kind::table:
            read_table(in.below(key), option, options);
            break;
    }
}

/// What [databases.NAME] and [brokers.NAME] have in common.
/// @tparam Provider  database_provider or broker_provider
template <class Provider>
struct adapter_entry {
    std::string provider{};
    std::string uri{};
    std::string path{};
    option_texts options{};
    const Provider* kind = nullptr;  ///< null: there is a problem
    bool holds_password = false;     ///< it stands in the file itself
};

/// Reads such entries; `what` and `uri_key` are what their two sections call things.
template <class Provider>
struct adapter_reader {
    using entry_type = adapter_entry<Provider>;

    std::string what;     ///< database or broker
    std::string uri_key;  ///< database_uri or URI
    std::span<const std::string_view> known;
    const std::vector<const Provider*>& available;
    const std::filesystem::path& base_directory;

    /// @param entry  what holds where the section says nothing
    [[nodiscard]] entry_type read(section& in, entry_type entry = {}) const {
        in.text("provider", entry.provider);
        if (entry.provider.empty() && !in.has("provider")) {
            in.report("provider", "is missing", fmt::format("choose one of {}", available_names()));
        }
        entry.kind = find(in, entry.provider);
        if (entry.kind == nullptr) {
            in.ignore_unknown();
            return entry;
        }
        read_address(in, entry);
        for (const provider_option& option : entry.kind->options()) {
            read_option(in, option, base_directory, entry.options);
            const bool is_written_here = in.has(option.key) && !in.is_substituted(option.key);
            if (option.what == provider_option::kind::secret && is_written_here) entry.holds_password = true;
        }
        return entry;
    }

private:
    [[nodiscard]] std::string available_names() const {
        return fmt::format("{}", fmt::join(names_of(available), ", "));
    }

    [[nodiscard]] const Provider* find(const section& in, const std::string& name) const {
        if (name.empty()) return nullptr;
        const Provider* const found = find_provider(available, name);
        if (found != nullptr) return found;
        if (std::ranges::find(known, name) == known.end()) {
            in.report("provider", fmt::format("is no {} provider", what),
                      did_you_mean(name, names_of(available), "available"));
        } else {
            in.report("provider", fmt::format("provider \"{}\" is not part of this build", name),
                      fmt::format("available: {}", available_names()));
        }
        return nullptr;
    }

    void read_address(section& in, entry_type& entry) const {
        const address_use use = entry.kind->address();
        if (use == address_use::unused && !in.has(uri_key)) return;
        in.text(uri_key, entry.uri, sensitivity::uri);
        entry.holds_password = base::holds_password(entry.uri) && !in.is_substituted(uri_key);
        if (use == address_use::unused) {
            in.report(uri_key,
                      fmt::format("provider \"{}\" keeps nothing anywhere and does not use it", entry.provider),
                      "remove it, or choose another provider");
            return;
        }
        if (use == address_use::server_if_any && !in.has(uri_key)) return;
        if (entry.uri.empty() && !in.has(uri_key)) {
            in.report(uri_key, fmt::format("is missing; provider \"{}\" needs it", entry.provider),
                      use == address_use::file ? "for example \"sqlite:///data/" + what + ".db\"" : "");
        } else if (use == address_use::file && !entry.uri.empty()) {
            file_location located = locate_file(entry.uri, base_directory);
            if (!located.problem.empty()) in.report(uri_key, std::move(located.problem), std::move(located.remedy));
            entry.path = std::move(located.path);
            in.resolve(uri_key, entry.path);
        } else if (use == address_use::server || use == address_use::server_if_any) {
            entry.uri = with_absolute_files(entry.uri, entry.kind->file_parameters(), base_directory);
        }
    }
};

/// A unit that is repeated blocks its thread, and a subscription's thread delays the shutdown.
constexpr std::int64_t most_unit_retries = 100;
constexpr double longest_unit_delay = 60;

std::string section_to_add(const section& in, const std::string& example) {
    return fmt::format("add [{}.default] with provider = \"{}\"", in.path(), example);
}

void require_default(const section& in, const std::string& example) {
    if (!in.has("default")) in.report("default", "is missing", section_to_add(in, example));
}

/// Two adapters on one file would meet each other's rows and messages.
class file_owners {
public:
    void claim(const section& in, const std::string& uri_key, const std::string& path) {
        if (path.empty()) return;
        std::error_code ignored;
        const auto canonical = std::filesystem::weakly_canonical(path, ignored);
        const auto [owner, is_new] = owners_.emplace(ignored ? path : canonical.string(), in.path());
        if (is_new) return;
        in.report(uri_key, fmt::format("is the file of [{}] too", owner->second), "give each a file of its own");
    }

private:
    std::map<std::string, std::string> owners_;
};

void read_cleanup(section cleanup, cleanup_settings& settings) {
    cleanup.number("published_retention_hours", settings.published_retention_hours, 0, 876'000);
    cleanup.number("abandoned_retention_hours", settings.abandoned_retention_hours, 0, 876'000);
    cleanup.number("interval_seconds", settings.interval_seconds, 1, 604'800);
    cleanup.whole("batch_size", settings.batch_size, 1, 100'000);
    cleanup.refuse_unknown();
}

std::vector<std::string> broker_names(const configuration& so_far) {
    std::vector<std::string> names;
    for (const auto& [name, settings] : so_far.brokers) names.push_back(name);
    return names;
}

void check_external_brokers(section& in, const configuration& so_far, const outbox_settings& outbox) {
    for (std::size_t i = 0; i < outbox.external_brokers.size(); ++i) {
        const std::string& name = outbox.external_brokers[i];
        const auto first = std::find(outbox.external_brokers.begin(), outbox.external_brokers.end(), name);
        const auto complain = [&](std::string message, std::string remedy) {
            in.report_element("external_brokers", i, std::move(message), std::move(remedy));
        };
        if (static_cast<std::size_t>(first - outbox.external_brokers.begin()) < i) {
            complain("is listed twice", "remove one: a broker gets one copy of an event");
        } else if (name == outbox.broker) {
            complain("is the internal broker (outbox.broker)", "remove it: internal messages go there anyway");
        } else if (!so_far.brokers.contains(name)) {
            complain("no such broker in [brokers]", did_you_mean(name, broker_names(so_far), "brokers are"));
        }
    }
}

void read_outbox(section in, const configuration& so_far, outbox_settings& outbox) {
    in.text("broker", outbox.broker);
    in.texts("external_brokers", outbox.external_brokers);
    in.whole("messages_per_tick", outbox.messages_per_tick, 1, 10'000);
    in.whole("bytes_per_tick", outbox.bytes_per_tick, 1024, 1'000'000'000);
    in.number("tick_interval", outbox.tick_interval, 0.001, 3600);
    in.number("lease_seconds", outbox.lease_seconds, 1, 3600);
    in.number("publish_timeout_seconds", outbox.publish_timeout_seconds, 0.1, 600);
    in.number("max_probe_interval_seconds", outbox.max_probe_interval_seconds, 0.1, 3600);
    read_retry(in.below("retry"), outbox.retry);
    read_cleanup(in.below("cleanup"), outbox.cleanup);
    read_lanes(in.below("lanes"), so_far, outbox);
    in.refuse_unknown();

    if (outbox.lease_seconds <= outbox.publish_timeout_seconds) {
        in.report("lease_seconds",
                  fmt::format("must be longer than publish_timeout_seconds ({:g})", outbox.publish_timeout_seconds),
                  "a lane publishes only while its lease outlasts the publishing");
    }
    if (!so_far.brokers.contains(outbox.broker) && (in.has("broker") || so_far.brokers.contains("default"))) {
        in.report("broker", "no such broker in [brokers]",
                  did_you_mean(outbox.broker, broker_names(so_far), "brokers are"));
    }
    check_external_brokers(in, so_far, outbox);
}

void read_version_retry(section in, version_retry_settings& retry) {
    in.flag("enabled", retry.enabled);
    in.whole("max_retries", retry.max_retries, 0, most_unit_retries);
    in.number("base_delay_seconds", retry.base_delay_seconds, 0, longest_unit_delay);
    in.number("max_delay_seconds", retry.max_delay_seconds, 0, longest_unit_delay);
    in.refuse_unknown();
}

void read_transient_retry(section in, transient_retry_settings& retry) {
    static const std::vector<std::string> words{"exponential", "linear", "fixed"};
    in.flag("enabled", retry.enabled);
    in.whole("max_retries", retry.max_retries, 0, most_unit_retries);
    std::string growth = words.front();
    in.choice("backoff", growth, words);
    retry.backoff = growth == "linear"  ? delay_growth::linear
                    : growth == "fixed" ? delay_growth::fixed
                                        : delay_growth::exponential;
    in.number("base_delay_seconds", retry.base_delay_seconds, 0, longest_unit_delay);
    in.number("max_delay_seconds", retry.max_delay_seconds, 0, longest_unit_delay);
    in.refuse_unknown();
}

void read_commands(section in, command_settings& commands) {
    in.number("default_timeout_seconds", commands.default_timeout_seconds, 0.001, 315'360'000);
    in.number("idempotency_retention_hours", commands.idempotency_retention_hours, 0.01, 876'000);
    in.number("failure_retention_seconds", commands.failure_retention_seconds, 0, 604'800);
    in.refuse_unknown();
}

void read_server(section in, server_settings& server) {
    in.number("shutdown_seconds", server.shutdown_seconds, 1, 3600);

    read_subscriptions(in, server);

    section health = in.below("health");
    health.flag("enabled", server.health.enabled);
    health.text("host", server.health.host);
    constexpr std::int64_t most_ports = 65'535;
    health.whole("port", server.health.port, 0, most_ports);
    // Who names a port means that port; who does not must be able to start a second service on the machine.
    server.health.port_auto_increment = !health.has("port");
    health.flag("port_auto_increment", server.health.port_auto_increment);
    health.number("drain_delay_seconds", server.health.drain_delay_seconds, 0, 3600);
    health.refuse_unknown();

    read_version_retry(in.below("version_retry"), server.version_retry);
    read_transient_retry(in.below("transient_retry"), server.transient_retry);

    section lanes = in.below("priority_lanes");
    lanes.flag("enabled", server.priority_lanes.enabled);
    lanes.whole("threshold", server.priority_lanes.threshold, -1'000'000, 1'000'000);
    lanes.text("backfill_suffix", server.priority_lanes.backfill_suffix);
    if (!is_plain_name(server.priority_lanes.backfill_suffix)) {
        lanes.report("backfill_suffix", "becomes part of stream names", "use letters, digits, _, - and .");
    }
    lanes.refuse_unknown();
    in.refuse_unknown();
}

void read_log(section in, log_section& log) {
    static const std::vector<std::string> levels{"trace", "debug", "info", "warn", "error", "off"};
    static const std::vector<std::string> formats{"text", "json"};
    in.choice("level", log.level, levels);
    in.choice("format", log.format, formats);
    in.refuse_unknown();
}

void require_plain_name(const section& all, const std::string& name) {
    if (is_plain_name(name)) return;
    all.report(name, "is no name for an adapter", "use letters, digits, _, - and .");
}

/// Where the default database is when the file configures none.
struct built_in_database {
    const providers& available;
    const domain_lookup& domain;

    /// Nothing, and a problem, when this build or the caller cannot have it.
    [[nodiscard]] std::optional<adapter_entry<database_provider>> find(const section& databases) const {
        const auto provider = std::ranges::find_if(available.databases, &database_provider::is_built_in);
        if (provider == available.databases.end()) {
            require_default(databases, "memory");
            return std::nullopt;
        }
        const std::string name = domain();
        if (name.empty()) {
            databases.report("default",
                             "is missing; without it the database is an SQLite file named after the domain, "
                             "and no domain is named",
                             "name the domain, or " + section_to_add(databases, "sqlite"));
            return std::nullopt;
        }
        return adapter_entry<database_provider>{.provider = std::string{(*provider)->name()},
                                                .uri = "sqlite:///" + name + ".db"};
    }
};

void read_databases(section databases, const adapter_reader<database_provider>& reader,
                    const built_in_database& otherwise, file_owners& owners, configuration& into) {
    const auto keep = [&](const std::string& name, section& in, adapter_entry<database_provider> entry, bool built_in) {
        in.refuse_unknown();
        owners.claim(in, "database_uri", entry.path);
        into.holds_password = into.holds_password || entry.holds_password;
        into.databases[name] = {.name = name,
                                .provider = std::move(entry.provider),
                                .database_uri = std::move(entry.uri),
                                .path = std::move(entry.path),
                                .options = std::move(entry.options),
                                .built_in = built_in,
                                .kind = entry.kind};
    };
    auto configured = databases.all_below();
    if (configured.empty()) {
        std::optional<adapter_entry<database_provider>> entry = otherwise.find(databases);
        if (!entry) return;
        section in = databases.below("default");
        keep("default", in, reader.read(in, *std::move(entry)), true);
        return;
    }
    require_default(databases, "memory");
    for (auto& [name, in] : configured) {
        require_plain_name(databases, name);
        keep(name, in, reader.read(in), false);
    }
}

void read_adapters(section& root, const providers& available, const std::filesystem::path& base_directory,
                   const domain_lookup& domain, configuration& into) {
    file_owners owners;
    const adapter_reader<database_provider> read_database{"database", "database_uri", known_databases(),
                                                          available.databases, base_directory};
    read_databases(root.below("databases"), read_database, {available, domain}, owners, into);

    section brokers = root.below("brokers");
    require_default(brokers, "inline");
    const adapter_reader<broker_provider> read_broker{"broker", "URI", known_brokers(), available.brokers,
                                                      base_directory};
    for (auto& [name, in] : brokers.all_below()) {
        require_plain_name(brokers, name);
        adapter_entry<broker_provider> entry = read_broker.read(in);
        in.refuse_unknown();
        owners.claim(in, "URI", entry.path);
        into.holds_password = into.holds_password || entry.holds_password;
        into.brokers[name] = {.name = name,
                              .provider = std::move(entry.provider),
                              .uri = std::move(entry.uri),
                              .path = std::move(entry.path),
                              .options = std::move(entry.options),
                              .kind = entry.kind};
    }
}

}  // namespace

namespace {

/// What all sections come to. @param sections  substituted; the top of the configuration
explained_configuration read_sections(const node& sections, configuration result,
                                      const std::filesystem::path& base_directory, const providers& available,
                                      const domain_lookup& domain, reading into) {
    section root{&sections, "", into};
    read_adapters(root, available, base_directory, domain, result);
    read_outbox(root.below("outbox"), result, result.outbox);
    read_server(root.below("server"), result.server);
    section event_sourcing = root.below("event_sourcing");
    constexpr std::int64_t most_events = 1'000'000;
    event_sourcing.whole("snapshot_every", result.event_sourcing.snapshot_every, 0, most_events);
    event_sourcing.refuse_unknown();
    read_commands(root.below("commands"), result.commands);
    section inbox = root.below("inbox");
    inbox.number("retention_hours", result.inbox.retention_hours, 0, 876'000);
    inbox.refuse_unknown();
    read_log(root.below("log"), result.log);
    console_settings console;
    read_console(root.below("console"), base_directory, console, result.console_tls);
    read_telemetry(root.below("telemetry"), base_directory, result);

    if (!into.problems.empty()) throw invalid_configuration{result.file, std::move(into.problems)};
    complete_subscriptions(into.settings, result.server);
    group_by_section(into.settings);
    return {std::move(result), std::move(into.settings), std::move(console)};
}

/// @param key  of the value, for what is wrong in it
node to_node(const json::value& from, const std::string& key, std::vector<problem>& found) {
    node to;
    const auto complain = [&](std::string message, std::string remedy) {
        found.push_back({.key = key, .message = std::move(message), .remedy = std::move(remedy)});
        to.broken = true;
    };
    switch (from.kind()) {
        case json::kind::object: {
            node::table members;
            for (const auto& [name, value] : from.as_object()) {
                members.push_back({name, to_node(value, join_key(key, name), found)});
            }
            to.value = std::move(members);
            break;
        }
        case json::kind::array: {
            node::array elements;
            for (const json::value& each : from.as_array()) elements.push_back(to_node(each, key, found));
            to.value = std::move(elements);
            break;
        }
        case json::kind::string:
            to.value = from.as_string();
            break;
        case json::kind::boolean:
            to.value = from.as_bool();
            break;
        case json::kind::number:
            if (from.as_number().text.find_first_of(".eE") != std::string::npos) {
                to.value = from.as_double();
                break;
            }
            try {
                to.value = from.as_int();
            } catch (const decode_error& e) {
                complain(e.what(), "give a whole number of 64 bits");
            }
            break;
        case json::kind::null:
            complain("is null", "leave the key out to have its default");
            break;
    }
    return to;
}

}  // namespace

explained_configuration explain_text(std::string_view text, const std::filesystem::path& file,
                                     const providers& available, const variable_lookup& variables,
                                     const domain_lookup& domain) {
    configuration result;
    result.file = file.string();
    result.environment = variables(environment_variable).value_or("");

    reading into;
    node sections = select_environment(read_toml(text, result.file), result.environment, into.problems);
    substitute(sections, variables, into.problems);
    add_telemetry_variables(sections, variables, into.problems);
    return read_sections(sections, std::move(result), std::filesystem::absolute(file).parent_path(), available, domain,
                         std::move(into));
}

configuration from_values(const json::object& values, const std::filesystem::path& base_directory,
                          const providers& available, const domain_lookup& domain) {
    return explain_values(values, base_directory, available, domain).values;
}

explained_configuration explain_values(const json::object& values, const std::filesystem::path& base_directory,
                                       const providers& available, const domain_lookup& domain) {
    configuration result;
    result.file = "settings";

    reading into;
    node sections = to_node(values, "", into.problems);
    for (const auto& [name, value] : *sections.as_table()) {
        if (is_section(name)) continue;
        into.problems.push_back({.key = join_key("", name),
                                 .message = "unknown section",
                                 .remedy = did_you_mean(name, section_names(), "sections are")});
    }
    std::erase_if(*sections.as_table(), [](const auto& m) { return !is_section(m.key); });
    explained_configuration read =
        read_sections(sections, std::move(result), std::filesystem::absolute(base_directory).lexically_normal(),
                      available, domain, std::move(into));
    read.values.holds_password = false;  // there is no file that could be read by others
    return read;
}

namespace {

std::string read_file(const std::filesystem::path& file) {
    std::error_code ignored;
    std::ifstream stream{file, std::ios::binary};
    std::ostringstream text;
    if (std::filesystem::is_directory(file, ignored) || !stream || !(text << stream.rdbuf())) {
        const bool exists = std::filesystem::exists(file, ignored);
        throw invalid_configuration{
            file.string(),
            {{.message = exists ? "this configuration file cannot be read" : "there is no such configuration file",
              .remedy = exists ? "check that it is a file and its permissions"
                               : "create it, or name another one with --config"}}};
    }
    return std::move(text).str();
}

}  // namespace

std::string no_domain() { return {}; }

configuration parse(std::string_view text, const std::filesystem::path& file, const providers& available,
                    const variable_lookup& variables, const domain_lookup& domain) {
    return explain_text(text, file, available, variables, domain).values;
}

configuration load(const std::filesystem::path& file, const providers& available, const variable_lookup& variables,
                   const domain_lookup& domain) {
    return parse(read_file(file), file, available, variables, domain);
}

explained_configuration explain(const std::filesystem::path& file, const providers& available,
                                const variable_lookup& variables, const domain_lookup& domain) {
    return explain_text(read_file(file), file, available, variables, domain);
}

std::vector<overlay_problems> check_overlays(const std::filesystem::path& file, const providers& available,
                                             const variable_lookup& variables, const domain_lookup& domain) {
    const std::string text = read_file(file);
    const std::string current = variables(environment_variable).value_or("");
    std::vector<overlay_problems> all;
    const node root = read_toml(text, file.string());
    for (const auto& [name, value] : *root.as_table()) {
        if (is_section(name) || name == current || !looks_like_overlay(value)) continue;
        const auto in_it = [&, &environment = name](const std::string& variable) {
            return variable == environment_variable ? std::optional{environment} : variables(variable);
        };
        try {
            static_cast<void>(parse(text, file, available, in_it, domain));
        } catch (const invalid_configuration& e) {
            overlay_problems found{name, e.problems()};
            // Its variables are set where it runs.
            std::erase_if(found.problems, [](const problem& each) { return each.message.starts_with(unset_variable); });
            if (!found.problems.empty()) all.push_back(std::move(found));
        }
    }
    return all;
}

}  // namespace sluice::config
