#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/commands/commands.hpp"
#include "cli/terminal/units.hpp"
#include "operate/databases.hpp"

namespace sluice::cli {

namespace {

using operate::adopted_database;
using operate::database_setup;
using operate::schema_view;

std::string outcome_of_setup(const database_setup& done) {
    if (done.before == done.after) return "already up to date";
    return done.before == 0 ? "created" : fmt::format("upgraded from schema {}", done.before);
}

exit_code set_up(const session& in) {
    const installation with = operate::open_installation(in.site);
    const std::string domain = operate::domain_name(in.site);
    std::vector<database_setup> databases;
    for (const auto& [name, database] : with.parts.databases) {
        databases.push_back(operate::set_up(name, *database, domain));
        if (in.out.json()) continue;
        const database_setup& done = databases.back();
        in.out.print(safe_lines(
            fmt::format("database {} ({}): {}, schema {}", name, done.provider, outcome_of_setup(done), done.after)));
    }
    const std::vector<std::string> made = operate::make_read_models(in.site, with);
    if (in.out.json()) {
        in.out.print_json(to_json(databases, made));
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

std::string describe(const store::database_history& history) {
    return fmt::format("  {}, incarnation {}",
                       history.domain.empty() ? "claimed by no domain" : "domain " + history.domain,
                       history.incarnation);
}

void print(const session& in, const schema_view& of) {
    in.out.print(safe_lines(fmt::format("database {} ({}): {}", of.database, of.provider, describe(of.schema))));
    if (of.is_current()) in.out.print(safe_lines(describe(of.history)));
    for (const store::history_fault& fault : of.faults) {
        in.out.print(safe_lines(fmt::format("  {}: {}\n    {}", fault.code, fault.message, fault.remedy)));
    }
}

exit_code show_schemas(const session& in) {
    const installation with = operate::open_installation(in.site);
    std::vector<schema_view> databases;
    bool all_well = true;
    for (const auto& [name, database] : with.parts.databases) {
        databases.push_back(operate::read_schema(name, *database));
        all_well = all_well && databases.back().is_current() && databases.back().is_sound();
        if (!in.out.json()) print(in, databases.back());
    }
    if (in.out.json()) in.out.print_json(to_json(databases));
    return all_well ? exit_code::ok : exit_code::unavailable;
}

struct adopt_arguments {
    operate::adoption_request asked;
    bool yes = false;
};

void print(const session& in, const adopted_database& adopted, bool is_copy) {
    const store::adopted& done = adopted.done;
    in.out.print(safe_lines(
        fmt::format("database {} ({}): incarnation {}{}; {} at the stored mark, {} below it will be sent",
                    adopted.database, adopted.provider, done.incarnation, is_copy ? ", identity " + done.identity : "",
                    done.lanes == 1 ? "1 lane begins" : fmt::format("{} lanes begin", done.lanes),
                    count_of(done.reopened, "open row"))));
}

exit_code adopt(const session& in, const adopt_arguments& given) {
    const operate::adoption_request& asked = given.asked;
    const installation with = operate::open_installation(in.site);
    const store::adoption how = operate::to_adoption(in.site, with, asked);
    const char* const question =
        asked.copy ? "Make it a database of its own, apart from the one that it is a copy of?"
                   : "Begin a new incarnation? The brokers shut out every owner that lanes had before.";
    if (!given.yes && !in.out.confirm(question)) {
        in.out.warn("nothing was done");
        return exit_code::failed;
    }
    std::vector<adopted_database> databases;
    for (const auto& [name, database] : with.parts.databases) {
        if (!asked.database.empty() && name != asked.database) continue;
        databases.push_back(operate::adopt(name, *database, how));
        if (!in.out.json()) print(in, databases.back(), asked.copy);
    }
    if (in.out.json()) in.out.print_json(to_json(databases));
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
        .option("--database", "NAME", given->asked.database, "Only this database")
        .flag("--copy", given->asked.copy, "It is a copy of a database that lives on: give it an identity of its own")
        .flag("--rename", given->asked.rename, "The domain has got a new name")
        .flag("-y,--yes", given->yes, "Do not ask")
        .runs(adopt, given);
}

}  // namespace sluice::cli
