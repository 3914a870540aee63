#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "base/database_file.hpp"
#include "broker/broker.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/history_findings.hpp"
#include "cli/terminal/failure.hpp"
#include "cli/terminal/units.hpp"
#include "commit/stored_log.hpp"
#include "config/loader.hpp"
#include "config/problems.hpp"
#include "consume/orphan_groups.hpp"
#include "operate/json_forms.hpp"
#include "operate/orphan_rows.hpp"
#include "operate/subscriptions_view.hpp"

namespace sluice::cli {

namespace {

using config::finding;
using config::severity;
using operate::looking;
using operate::text_or_null;

/// A problem of the file in the shape of all other findings.
finding to_finding(const std::string& file, const config::problem& found) {
    return {.level = severity::error,
            .code = "CONFIGURATION",
            .element = found.key,
            .message = config::to_text(file, {found.line, found.key, found.value, found.message, {}}),
            .remedy = found.remedy};
}

/// What would be wrong in environments other than this one.
void add_overlays(const session& in, std::vector<finding>& found) {
    const auto overlays = config::check_overlays(in.site.config, in.site.program.providers(), config::process_variable,
                                                 [&in] { return operate::domain_name(in.site); });
    for (const auto& [environment, problems] : overlays) {
        for (const config::problem& each : problems) {
            finding told = to_finding(in.site.config, each);
            told.level = severity::warning;
            told.code = "OVERLAY";
            told.message =
                "with " + std::string{config::environment_variable} + "=" + environment + ": " + told.message;
            found.push_back(std::move(told));
        }
    }
}

bool is_told(std::string_view code, std::string_view element, const std::vector<finding>& found) {
    return std::any_of(found.begin(), found.end(),
                       [&](const finding& each) { return each.code == code && each.element == element; });
}

/// What is wrong with the databases themselves.
void add_weaknesses(const session& in, const config::configuration& with, std::vector<finding>& found) {
    for (const auto& [name, database] : in.site.program.make_adapters(with).databases) {
        try {
            for (const auto& [code, message, remedy] : database->weaknesses()) {
                found.push_back({.level = severity::warning,
                                 .code = code,
                                 .element = "databases." + name,
                                 .message = message,
                                 .remedy = remedy});
            }
        } catch (const store_error& e) {
            found.push_back({.level = severity::warning,
                             .code = "DATABASE_UNAVAILABLE",
                             .element = "databases." + name,
                             .message = std::string{"not checked: "} + e.what(),
                             .remedy = {}});
        }
    }
}

finding to_finding(const std::string& database, const commit::log_problem& problem) {
    return {.level = problem.is_error ? severity::error : severity::warning,
            .code = problem.is_error ? "UNREADABLE_EVENTS" : "UNKNOWN_EVENTS",
            .element = database + ":" + problem.type,
            .message = problem.message,
            .remedy = problem.remedy};
}

/// What was left by an earlier configuration or an earlier build: rows that wait for a broker that is gone, and events
/// that this build cannot read. Databases that are empty or away have nothing to tell here.
void add_what_is_stored(const declared_installation& in, std::vector<finding>& found) {
    for (const auto& [name, database] : in.env->parts().databases) {
        try {
            const store::schema_status schema = database->schema();
            if (schema.applied == 0 || schema.applied != schema.expected) continue;
            const auto operations = database->open_operations();
            for (const operate::orphan_rows& each :
                 operate::find_orphan_rows(in.env->configuration().outbox, name, operations->outbox_summary())) {
                found.push_back(operate::to_finding(each));
            }
            for (const commit::log_problem& each : commit::problems_of_log(in.env->domain(), *operations)) {
                found.push_back(to_finding(name, each));
            }
        } catch (const store_error& e) {
            if (is_told("DATABASE_UNAVAILABLE", "databases." + name, found)) continue;
            found.push_back({.level = severity::warning,
                             .code = "DATABASE_UNAVAILABLE",
                             .element = "databases." + name,
                             .message = std::string{"not checked for orphaned rows and unreadable events: "} + e.what(),
                             .remedy = {}});
        }
    }
}

/// Consumer groups whose handlers are gone. Inline brokers have nothing from before this process.
void add_orphan_groups(const declared_installation& in, std::vector<finding>& found) {
    const auto places = consume::places_of(*in.env);
    const auto& domain = in.env->domain().normalized;
    operate::groups_by_broker seen;
    for (const auto& [name, broker] : in.env->parts().brokers) {
        if (!broker->can().cross_process) continue;
        try {
            const auto operations = broker->open_operations();
            if (consume::orphan_groups(operations->known_groups(), in.routes, name, places, domain).empty()) continue;
            seen.emplace(name, operations->groups());
        } catch (const broker_error& e) {
            const std::string element = "brokers." + name;
            if (is_told("BROKER_UNAVAILABLE", element, found)) continue;
            found.push_back({.level = severity::warning,
                             .code = "BROKER_UNAVAILABLE",
                             .element = element,
                             .message = std::string{"not checked for consumer groups without a handler: "} + e.what(),
                             .remedy = {}});
        }
    }
    for (const operate::orphan_row& each : operate::view_orphans(in.routes, seen, places, domain)) {
        found.push_back(operate::to_finding(each));
    }
}

/// What a broker's own settings can lose. One that is away cannot be asked.
void add_hazards(const session& in, const config::configuration& with, std::vector<finding>& found) {
    const commit::adapters parts = in.site.program.make_adapters(with);
    for (const auto& [name, broker] : parts.brokers) {
        const std::string element = "brokers." + name;
        try {
            for (auto& each : broker->hazards()) {
                found.push_back({.level = severity::warning,
                                 .code = std::move(each.code),
                                 .element = element,
                                 .message = std::move(each.message),
                                 .remedy = std::move(each.remedy)});
            }
        } catch (const broker_error& e) {
            found.push_back({.level = severity::warning,
                             .code = "BROKER_UNAVAILABLE",
                             .element = element,
                             .message = std::string{"not asked whether it keeps what it confirms: "} + e.what(),
                             .remedy = {}});
        }
    }
}

bool is_open_to_others(const std::filesystem::path& file) {
    struct stat status {};
    return ::stat(file.c_str(), &status) == 0 && (status.st_mode & (S_IROTH | S_IWOTH)) != 0;
}

/// Files of databases and brokers, and a configuration with a password, that every user of the machine may read.
void add_open_files(const config::configuration& with, std::vector<finding>& found) {
    const auto judge = [&](const std::string& element, const std::filesystem::path& file, const std::string& holds) {
        if (file.empty() || !is_open_to_others(file)) return;
        found.push_back({.level = severity::warning,
                         .code = "OPEN_TO_OTHERS",
                         .element = element,
                         .message = fmt::format("{} {} and can be read or written by every user of this machine",
                                                file.string(), holds),
                         .remedy = fmt::format("chmod o-rwx {}", file.string())});
    };
    const auto judge_all = [&](const std::string& element, const std::filesystem::path& file) {
        if (file.empty()) return;
        for (const auto& each : {file, base::write_ahead_log_of(file), base::shared_memory_of(file)}) {
            judge(element, each, "holds events and state");
        }
    };
    if (with.holds_password) judge("configuration", with.file, "holds a password");
    for (const auto& [name, database] : with.databases) judge_all("databases." + name, database.path);
    for (const auto& [name, broker] : with.brokers) judge_all("brokers." + name, broker.path);
}

json::value as_json(const finding& found) {
    return json::object{{"level", config::to_string(found.level)},
                        {"code", found.code},
                        {"element", found.element},
                        {"message", found.message},
                        {"remedy", found.remedy}};
}

std::string describe(const detail::registry& declared) {
    const auto published = std::count_if(declared.events.begin(), declared.events.end(),
                                         [](const auto& event) { return event.second.published; });
    const auto also = [](std::int64_t count, std::string_view what) {
        return count == 0 ? std::string{} : ", " + count_of(count, what);
    };
    return fmt::format(
        "domain {}: {}, {} ({} published), {}, {}, {}{}{}", declared.name,
        count_of(std::ssize(declared.aggregates), "aggregate"), count_of(std::ssize(declared.events), "event"),
        published, count_of(std::ssize(declared.commands), "command"),
        count_of(std::ssize(declared.event_handlers), "event handler"),
        count_of(std::ssize(declared.subscribers), "subscriber"),
        also(std::ssize(declared.processes), "process manager"), also(std::ssize(declared.projectors), "read model"));
}

/// The file of a database that the configuration leaves to Sluice; empty when it configures one.
std::string built_in_database(const config::configuration& with) {
    for (const auto& [name, database] : with.databases) {
        if (database.built_in) return database.path;
    }
    return {};
}

exit_code check(const session& in) {
    std::unique_ptr<domain> declared = operate::load_domain(in.site);
    const std::string name = declared->name();
    const std::string description = describe(declared->declared());
    std::string database;
    std::vector<finding> found;
    try {
        config::configuration with = operate::load_configuration(in.site);
        database = built_in_database(with);
        found = config::findings_of(*declared, with);
        add_open_files(with, found);
        add_overlays(in, found);
        for (finding& each : history_findings(declared->declared(), in.site.program.make_adapters(looking(with)))) {
            found.push_back(std::move(each));
        }
        add_weaknesses(in, looking(with), found);
        add_hazards(in, looking(with), found);
        // What is stored cannot be held against a declaration that contradicts itself.
        if (std::none_of(found.begin(), found.end(), [](const finding& f) { return f.level == severity::error; })) {
            const declared_installation opened = operate::open_declared(in.site, std::move(declared), std::move(with));
            add_what_is_stored(opened, found);
            add_orphan_groups(opened, found);
        }
    } catch (const config::invalid_configuration& e) {
        for (const config::problem& each : e.problems()) found.push_back(to_finding(e.file(), each));
    }
    const auto errors =
        std::count_if(found.begin(), found.end(), [](const finding& each) { return each.level == severity::error; });
    const auto warnings = std::ssize(found) - errors;
    if (in.out.json()) {
        json::array list;
        for (const finding& each : found) list.push_back(as_json(each));
        in.out.print_json(json::object{{"domain", name},
                                       {"configuration", in.site.config},
                                       {"built_in_database", text_or_null(database)},
                                       {"errors", errors},
                                       {"warnings", warnings},
                                       {"findings", std::move(list)}});
    } else {
        in.out.print(safe_lines(description));
        if (!database.empty()) {
            in.out.print(safe_lines(
                fmt::format("database default (built-in): {}, as {} configures none", database, in.site.config)));
        }
        for (const finding& each : found) in.out.print(to_text(each, in.out));
        in.out.print(found.empty() ? in.out.paint("no problems", tone::good)
                                   : fmt::format("{}, {}", count_of(errors, "error"), count_of(warnings, "warning")));
    }
    return errors > 0 ? exit_code::configuration : exit_code::ok;
}

}  // namespace

void add_check(command& root) {
    root.add("check", "Check the domain and its configuration; writes nothing").runs(check);
}

}  // namespace sluice::cli
