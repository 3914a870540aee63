#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/commands/commands.hpp"
#include "cli/terminal/failure.hpp"
#include "cli/terminal/units.hpp"
#include "projection/read_model_setup.hpp"

namespace sluice::cli {

namespace {

std::string outcome_of_setup(int before, int after) {
    if (before == after) return "already up to date";
    return before == 0 ? "created" : fmt::format("upgraded from schema {}", before);
}

/// Read models are declared by a domain; without one there are none to make.
std::vector<std::string> make_read_models(const session& in, const installation& with) {
    if (!in.site.knows_domain()) return {};
    const auto declared = operate::load_domain(in.site);
    config::require_no_errors(config::findings_of(*declared, with.configuration));
    return projection::create_read_models(declared->declared(), with.parts);
}

exit_code set_up(const session& in) {
    const installation with = operate::open_installation(in.site);
    const std::string domain = operate::domain_name(in.site);
    json::array results;
    for (const auto& [name, database] : with.parts.databases) {
        const int before = database->schema().applied;
        database->setup();
        if (!domain.empty()) database->claim(domain);
        const int after = database->schema().applied;
        if (in.out.json()) {
            results.push_back(json::object{
                {"database", name}, {"provider", database->describe()}, {"before", before}, {"schema", after}});
        } else {
            in.out.print(safe_lines(fmt::format("database {} ({}): {}, schema {}", name, database->describe(),
                                                outcome_of_setup(before, after), after)));
        }
    }
    const std::vector<std::string> made = make_read_models(in, with);
    if (in.out.json()) {
        in.out.print_json(
            json::object{{"databases", std::move(results)}, {"read_models", json::array{made.begin(), made.end()}}});
    } else {
        for (const std::string& name : made) in.out.print(fmt::format("read model {}: created", name));
    }
    return exit_code::ok;
}

std::string describe(const store::schema_status& schema) {
    if (schema.applied == schema.expected) return fmt::format("up to date, schema {}", schema.applied);
    if (schema.applied > schema.expected) {
        return fmt::format("schema {} is newer than this build, which works with {}", schema.applied, schema.expected);
    }
    return fmt::format(
        "{}; pending: {}; run `sluice db setup`",
        schema.applied == 0 ? "not set up" : fmt::format("schema {} of {}", schema.applied, schema.expected),
        fmt::join(schema.pending, ", "));
}

constexpr std::size_t most_rows_of_a_lane = 2'000'000;

/// Nothing of an empty database, or of one that another Sluice has set up.
std::vector<store::history_fault> faults_of(store::database& database, bool current) {
    return current ? database.faults(most_rows_of_a_lane) : std::vector<store::history_fault>{};
}

json::value as_json(const store::history_fault& fault) {
    return json::object{
        {"code", fault.code}, {"element", fault.element}, {"message", fault.message}, {"remedy", fault.remedy}};
}

std::string describe(const store::database_history& history) {
    return fmt::format("  {}, incarnation {}",
                       history.domain.empty() ? "claimed by no domain" : "domain " + history.domain,
                       history.incarnation);
}

exit_code show_schemas(const session& in) {
    const installation with = operate::open_installation(in.site);
    json::array results;
    bool all_current = true;
    bool sound = true;
    for (const auto& [name, database] : with.parts.databases) {
        const store::schema_status schema = database->schema();
        const bool current = schema.applied == schema.expected;
        all_current = all_current && current;
        const store::database_history history = current ? database->history() : store::database_history{};
        const std::vector<store::history_fault> faults = faults_of(*database, current);
        for (const store::history_fault& fault : faults) sound = sound && !fault.fatal;
        if (in.out.json()) {
            json::array told;
            for (const store::history_fault& fault : faults) told.push_back(as_json(fault));
            results.push_back(json::object{{"database", name},
                                           {"provider", database->describe()},
                                           {"schema", schema.applied},
                                           {"expected", schema.expected},
                                           {"current", current},
                                           {"pending", json::array{schema.pending.begin(), schema.pending.end()}},
                                           {"domain", history.domain},
                                           {"identity", history.identity},
                                           {"incarnation", static_cast<std::int64_t>(history.incarnation)},
                                           {"faults", std::move(told)}});
        } else {
            in.out.print(safe_lines(fmt::format("database {} ({}): {}", name, database->describe(), describe(schema))));
            if (current) in.out.print(safe_lines(describe(history)));
            for (const store::history_fault& fault : faults) {
                in.out.print(safe_lines(fmt::format("  {}: {}\n    {}", fault.code, fault.message, fault.remedy)));
            }
        }
    }
    if (in.out.json()) in.out.print_json(json::object{{"databases", std::move(results)}});
    return all_current && sound ? exit_code::ok : exit_code::unavailable;
}

struct adopt_arguments {
    std::string database;
    bool copy = false;
    bool rename = false;
    bool yes = false;
};

exit_code adopt(const session& in, const adopt_arguments& given) {
    const installation with = operate::open_installation(in.site);
    if (!given.database.empty() && !with.parts.databases.contains(given.database)) {
        throw wrong_usage(fmt::format("no database `{}` is configured", given.database));
    }
    store::adoption how{.copy = given.copy};
    if (given.rename) {
        how.domain = operate::domain_name(in.site);
        if (how.domain.empty()) throw wrong_usage("--rename takes the new name from the domain; add --domain=…");
    }
    const char* const question =
        given.copy ? "Make it a database of its own, apart from the one that it is a copy of?"
                   : "Begin a new incarnation? The brokers shut out every owner that lanes had before.";
    if (!given.yes && !in.out.confirm(question)) {
        in.out.warn("nothing was done");
        return exit_code::failed;
    }
    json::array results;
    for (const auto& [name, database] : with.parts.databases) {
        if (!given.database.empty() && name != given.database) continue;
        const store::adopted done = database->adopt(how);
        if (in.out.json()) {
            results.push_back(json::object{{"database", name},
                                           {"identity", done.identity},
                                           {"incarnation", static_cast<std::int64_t>(done.incarnation)},
                                           {"lanes", static_cast<std::int64_t>(done.lanes)},
                                           {"reopened", static_cast<std::int64_t>(done.reopened)}});
            continue;
        }
        in.out.print(safe_lines(
            fmt::format("database {} ({}): incarnation {}{}; {} at the stored mark, {} below it will be sent", name,
                        database->describe(), done.incarnation, given.copy ? ", identity " + done.identity : "",
                        done.lanes == 1 ? "1 lane begins" : fmt::format("{} lanes begin", done.lanes),
                        count_of(static_cast<std::int64_t>(done.reopened), "open row"))));
    }
    if (in.out.json()) in.out.print_json(json::object{{"databases", std::move(results)}});
    return exit_code::ok;
}

}  // namespace

void add_db(command& root) {
    command db = root.add("db", "Prepare and inspect the databases");
    db.add("setup",
           "Apply the pending migrations of every configured database, and make\n"
           "the tables of the domain's read models")
        .runs(set_up);
    db.add("status", "Show the schema and the history of every configured database").runs(show_schemas);
    const auto given = std::make_shared<adopt_arguments>();
    db.add("adopt",
           "Begin a new incarnation, after a restore or a failover that lost commits:\n"
           "lanes begin again at their marks, and brokers shut out their former owners")
        .option("--database", "NAME", given->database, "Only this database")
        .flag("--copy", given->copy, "It is a copy of a database that lives on: give it an identity of its own")
        .flag("--rename", given->rename, "The domain has got a new name")
        .flag("-y,--yes", given->yes, "Do not ask")
        .runs(adopt, given);
}

}  // namespace sluice::cli
