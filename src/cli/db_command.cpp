#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/failure.hpp"

namespace sluice::cli {

namespace {

std::string outcome_of_setup(int before, int after) {
    if (before == after) return "already up to date";
    return before == 0 ? "created" : fmt::format("upgraded from schema {}", before);
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
    if (in.out.json()) in.out.print_json(json::object{{"databases", std::move(results)}});
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

exit_code show_status(const session& in) {
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

void add_db(CLI::App& app, session& in, action& chosen) {
    CLI::App* group = app.add_subcommand("db", "Prepare and inspect the databases");
    group->require_subcommand(1);
    CLI::App* setup = group->add_subcommand("setup", "Apply the pending migrations of every configured database");
    setup->callback([&] { chosen = make_action([&in] { return set_up(in); }); });
    CLI::App* status = group->add_subcommand("status", "Show the schema of every configured database");
    status->callback([&] { chosen = make_action([&in] { return show_status(in); }); });
}

}  // namespace sluice::cli
