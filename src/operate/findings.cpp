#include "operate/findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string_view>
#include <utility>

#include <sluice/error.hpp>

#include "base/database_file.hpp"
#include "broker/broker.hpp"
#include "commit/stored_log.hpp"
#include "config/loader.hpp"
#include "config/problems.hpp"
#include "consume/broker_operations.hpp"
#include "consume/orphan_groups.hpp"
#include "operate/configured_files.hpp"
#include "operate/history_findings.hpp"
#include "operate/json_forms.hpp"
#include "operate/orphan_rows.hpp"
#include "operate/subscriptions.hpp"

namespace sluice::operate {

namespace {

using config::finding;
using config::severity;

/// A problem of the file in the shape of all other findings.
finding to_finding(const std::string& file, const config::problem& found) {
    return {.level = severity::error,
            .code = "CONFIGURATION",
            .element = found.key,
            .message = config::to_text(file, {found.line, found.key, found.value, found.message, {}}),
            .remedy = found.remedy};
}

finding to_finding(const std::string& database, const commit::log_problem& problem) {
    return {.level = problem.is_error ? severity::error : severity::warning,
            .code = problem.is_error ? "UNREADABLE_EVENTS" : "UNKNOWN_EVENTS",
            .element = database + ":" + problem.type,
            .message = problem.message,
            .remedy = problem.remedy};
}

/// The file of a database that the configuration leaves to Sluice; empty when it configures one.
std::string built_in_database(const config::configuration& with) {
    for (const auto& [name, database] : with.databases) {
        if (database.built_in) return database.path;
    }
    return {};
}

/// Collects what there is to tell, one source after the other.
class inspection {
public:
    inspection(const site& at, std::vector<finding>& into) : at_{at}, found_{into} {}

    /// What declaration and configuration tell, and the databases and brokers of their own.
    void add_all(std::unique_ptr<domain> declared, config::configuration with) {
        add(config::findings_of(*declared, with));
        const commit::adapters parts = add_surroundings(with);
        add(history_findings(declared->declared(), parts));
        // What is stored cannot be held against a declaration that contradicts itself.
        if (std::ranges::any_of(found_, is_error)) return;
        const declared_installation opened = open_declared(at_, std::move(declared), std::move(with));
        add_what_is_stored(opened);
        add_orphan_groups(opened);
    }

    /// What needs no declaration. Returns the databases and brokers, for looking.
    commit::adapters add_surroundings(const config::configuration& with) {
        add_open_files(with);
        add_overlays();
        commit::adapters parts = at_.program.make_adapters(looking(with));
        add_weaknesses(parts);
        add_hazards(parts);
        return parts;
    }

private:
    void add(std::vector<finding> more) { std::ranges::move(more, std::back_inserter(found_)); }

    void warn(std::string code, std::string element, std::string message, std::string remedy = {}) {
        found_.push_back({.level = severity::warning,
                          .code = std::move(code),
                          .element = std::move(element),
                          .message = std::move(message),
                          .remedy = std::move(remedy)});
    }

    [[nodiscard]] bool is_told(std::string_view code, std::string_view element) const {
        return std::ranges::any_of(found_,
                                   [&](const finding& each) { return each.code == code && each.element == element; });
    }

    /// Files of databases and brokers, and a configuration with a password, that every user of the machine may read.
    void add_open_files(const config::configuration& with) {
        if (with.holds_password) add_open_file("configuration", with.file, "holds a password");
        for (const auto& [name, database] : with.databases) add_open_files("databases." + name, database.path);
        for (const auto& [name, broker] : with.brokers) add_open_files("brokers." + name, broker.path);
        add(open_secrets(configured_files(with)));
    }

    void add_open_files(const std::string& element, const std::filesystem::path& file) {
        if (file.empty()) return;
        for (const auto& each : {file, base::write_ahead_log_of(file), base::shared_memory_of(file)}) {
            add_open_file(element, each, "holds events and state");
        }
    }

    void add_open_file(const std::string& element, const std::filesystem::path& file, const std::string& holds) {
        if (file.empty() || !is_open_to_others(file)) return;
        warn("OPEN_TO_OTHERS", element,
             fmt::format("{} {} and can be read or written by every user of this machine", file.string(), holds),
             fmt::format("chmod o-rwx {}", file.string()));
    }

    /// What would be wrong in environments other than this one.
    void add_overlays() {
        const auto overlays = config::check_overlays(at_.config, at_.program.providers(), config::process_variable,
                                                     [this] { return domain_name(at_); });
        for (const auto& [environment, problems] : overlays) {
            for (const config::problem& each : problems) {
                const finding told = to_finding(at_.config, each);
                warn("OVERLAY", told.element,
                     "with " + std::string{config::environment_variable} + "=" + environment + ": " + told.message,
                     told.remedy);
            }
        }
    }

    /// What is wrong with the databases themselves.
    void add_weaknesses(const commit::adapters& parts) {
        for (const auto& [name, database] : parts.databases) {
            const std::string element = "databases." + name;
            try {
                for (const auto& [code, message, remedy] : database->weaknesses()) warn(code, element, message, remedy);
            } catch (const store_error& e) {
                warn("DATABASE_UNAVAILABLE", element, std::string{"not checked: "} + e.what());
            }
        }
    }

    /// What a broker's own settings can lose. One that is away cannot be asked.
    void add_hazards(const commit::adapters& parts) {
        for (const auto& [name, broker] : parts.brokers) {
            const std::string element = "brokers." + name;
            try {
                for (const auto& each : broker->hazards()) warn(each.code, element, each.message, each.remedy);
            } catch (const broker_error& e) {
                warn("BROKER_UNAVAILABLE", element,
                     std::string{"not asked whether it keeps what it confirms: "} + e.what());
            }
        }
    }

    /// What was left by an earlier configuration or an earlier build: rows that wait for a broker that is gone, and
    /// events that this build cannot read. Databases that are empty or away have nothing to tell here.
    void add_what_is_stored(const declared_installation& in) {
        for (const auto& [name, database] : in.env->parts().databases) {
            try {
                const store::schema_status schema = database->schema();
                if (schema.applied == 0 || schema.applied != schema.expected) continue;
                const auto session = database->open_operations();
                for (const orphan_rows& each :
                     find_orphan_rows(in.env->configuration().outbox, name, session->outbox_summary())) {
                    found_.push_back(operate::to_finding(each));
                }
                for (const commit::log_problem& each : commit::problems_of_log(in.env->domain(), *session)) {
                    found_.push_back(to_finding(name, each));
                }
            } catch (const store_error& e) {
                if (is_told("DATABASE_UNAVAILABLE", "databases." + name)) continue;
                warn("DATABASE_UNAVAILABLE", "databases." + name,
                     std::string{"not checked for orphaned rows and unreadable events: "} + e.what());
            }
        }
    }

    /// Consumer groups whose handlers are gone. A broker inside this process has nothing from before it.
    void add_orphan_groups(const declared_installation& in) {
        const auto places = consume::places_of(*in.env);
        const auto& domain = in.env->domain().normalized;
        groups_by_broker seen;
        for (const auto& [name, broker] : in.env->parts().brokers) {
            if (!broker->can().cross_process) continue;
            try {
                const auto operations = consume::open_broker_operations(in.env->parts(), name);
                const auto known = operations->known_groups();
                if (consume::orphan_groups(known, in.routes, name, places, domain).empty()) continue;
                seen.emplace(name, operations->groups());
            } catch (const broker_error& e) {
                if (is_told("BROKER_UNAVAILABLE", "brokers." + name)) continue;
                warn("BROKER_UNAVAILABLE", "brokers." + name,
                     std::string{"not checked for consumer groups without a handler: "} + e.what());
            }
        }
        for (const orphan_group& each : view_orphans(in.routes, seen, places, domain)) {
            found_.push_back(operate::to_finding(each));
        }
    }

    const site& at_;
    std::vector<finding>& found_;
};

}  // namespace

declaration_counts counts_of(const detail::registry& domain) {
    const auto published =
        std::ranges::count_if(domain.events, [](const auto& event) { return event.second.published; });
    return {.aggregates = domain.aggregates.size(),
            .events = domain.events.size(),
            .published = static_cast<std::size_t>(published),
            .commands = domain.commands.size(),
            .event_handlers = domain.event_handlers.size(),
            .subscribers = domain.subscribers.size(),
            .processes = domain.processes.size(),
            .read_models = domain.projectors.size()};
}

std::size_t check_report::errors() const { return static_cast<std::size_t>(std::ranges::count_if(findings, is_error)); }

namespace {

/// @param inspect  is given the configuration, and adds what it finds
template <class Inspect>
void look_at_configuration(const site& at, check_report& into, const Inspect& inspect) {
    try {
        config::configuration with = load_configuration(at);
        into.built_in_database = built_in_database(with);
        inspect(std::move(with));
    } catch (const config::invalid_configuration& e) {
        for (const config::problem& each : e.problems()) into.findings.push_back(to_finding(e.file(), each));
    }
}

}  // namespace

check_report check(const site& at) {
    std::unique_ptr<domain> declared = load_domain(at);
    check_report report{
        .domain = declared->name(), .configuration = at.config, .declared = counts_of(declared->declared())};
    look_at_configuration(at, report, [&](config::configuration with) {
        inspection{at, report.findings}.add_all(std::move(declared), std::move(with));
    });
    return report;
}

check_report check_without_domain(const site& at) {
    check_report report{.domain = {}, .configuration = at.config};
    look_at_configuration(at, report, [&](const config::configuration& with) {
        static_cast<void>(inspection{at, report.findings}.add_surroundings(with));
    });
    return report;
}

json::value to_json(const finding& found) {
    return json::object{{"level", config::to_string(found.level)},
                        {"code", found.code},
                        {"element", found.element},
                        {"message", found.message},
                        {"remedy", found.remedy}};
}

json::value to_json(const check_report& report) {
    json::array findings;
    for (const finding& each : report.findings) findings.push_back(to_json(each));
    return json::object{{"domain", report.domain},
                        {"configuration", report.configuration},
                        {"built_in_database", text_or_null(report.built_in_database)},
                        {"errors", report.errors()},
                        {"warnings", report.warnings()},
                        {"findings", std::move(findings)}};
}

}  // namespace sluice::operate
