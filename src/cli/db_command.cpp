#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/commands.hpp"
#include "cli/failure.hpp"
#include "commit/read_model_setup.hpp"

namespace sluice::cli {

namespace {

std::string outcome_of_setup(int before, int after) {
    if (before == after) return "already up to date";
    return before == 0 ? "created" : fmt::format("upgraded from schema {}", before);
}

/// Read models are declared by a domain; without one there are none to make.
std::vector<std::string> make_read_models(const session& in, const installation& with) {
    if (in.host.loads_domains() && in.options.domain.empty()) return {};
    const auto declared = load_domain(in);
    config::require_no_errors(findings_of(*declared, with.configuration));
    return commit::create_read_models(declared->declared(), with.parts);
}

exit_code set_up(const session& in) {
    const installation with = open_installation(in);
    json::array results;
    for (const auto& [name, database] : with.parts.databases) {
        const int before = database->schema().applied;
        database->setup();
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

exit_code show_schemas(const session& in) {
    const installation with = open_installation(in);
    json::array results;
    bool all_current = true;
    for (const auto& [name, database] : with.parts.databases) {
        const store::schema_status schema = database->schema();
        const bool current = schema.applied == schema.expected;
        all_current = all_current && current;
        if (in.out.json()) {
            results.push_back(json::object{{"database", name},
                                           {"provider", database->describe()},
                                           {"schema", schema.applied},
                                           {"expected", schema.expected},
                                           {"current", current},
                                           {"pending", json::array{schema.pending.begin(), schema.pending.end()}}});
        } else {
            in.out.print(safe_lines(fmt::format("database {} ({}): {}", name, database->describe(), describe(schema))));
        }
    }
    if (in.out.json()) in.out.print_json(json::object{{"databases", std::move(results)}});
    return all_current ? exit_code::ok : exit_code::unavailable;
}

}  // namespace

void add_db(command& root) {
    command db = root.add("db", "Prepare and inspect the databases");
    db.add("setup",
           "Apply the pending migrations of every configured database, and make\n"
           "the tables of the domain's read models")
        .runs(set_up);
    db.add("status", "Show the schema of every configured database").runs(show_schemas);
}

}  // namespace sluice::cli
