#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <sluice/json.hpp>
#include <sluice/version.hpp>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <optional>
#include <thread>

#include "broker/sqlite/sqlite_broker.hpp"
#include "integration/command_line.hpp"
#include "sqlite/library_version.hpp"
#include "store/sqlite/sqlite_database.hpp"
#include "support/eventually.hpp"
#include "support/temporary_directory.hpp"

namespace sluice {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using testing::program_result;
using ::testing::StartsWith;

// ---- the command line itself

TEST_F(command_line, version_names_the_providers) {
    const program_result result = sluice({"version"});
    EXPECT_EQ(result.code, 0);
    EXPECT_THAT(result.out, AllOf(StartsWith(std::string{"sluice "} + version() + "\ndatabases: memory, "),
                                  ContainsRegex("\ndatabases: .*sqlite"), HasSubstr("\nbrokers: inline, ")));
    EXPECT_EQ(sluice_json({"version"}).at("version").as_string(), version());
}

TEST_F(command_line, help_tells_every_command_and_succeeds) {
    const program_result result = sluice({"--help"});
    EXPECT_EQ(result.code, 0);
    for (const char* command : {"server", "process", "check", "db", "status", "subscriptions", "outbox", "dlq",
                                "events", "processes", "projection", "snapshot", "version"}) {
        EXPECT_THAT(result.out, HasSubstr(std::string{"\n  "} + command));
    }
    EXPECT_EQ(sluice({"outbox", "list", "--help"}).code, 0);
}

TEST_F(command_line, wrong_usage_is_exit_code2) {
    for (const auto& arguments : std::vector<std::vector<std::string>>{{},
                                                                       {"nonsense"},
                                                                       {"status", "--nonsense"},
                                                                       {"subscriptions"},
                                                                       {"subscriptions", "stauts"},
                                                                       {"outbox"},
                                                                       {"outbox", "retry"},
                                                                       {"outbox", "retry", "--all", "--broker", "x"},
                                                                       {"outbox", "list", "--status", "abandond"},
                                                                       {"outbox", "list", "--older-than", "soon"},
                                                                       {"outbox", "list", "--limit", "0"},
                                                                       {"outbox", "discard", "--status", "published"},
                                                                       {"dlq", "purge"},
                                                                       {"dlq", "list", "--broker", "partnr"},
                                                                       {"process"},
                                                                       {"process", "Increase"},
                                                                       {"process", "Incraese", "{}"},
                                                                       {"process", "Increase", "{"},
                                                                       {"process", "-", "{}"}}) {
        const program_result result = sluice(arguments);
        EXPECT_EQ(result.code, 2) << ::testing::PrintToString(arguments);
        EXPECT_THAT(result.err, StartsWith("sluice: error: ")) << ::testing::PrintToString(arguments);
    }
}

TEST_F(command_line, errors_are_json_on_request) {
    const program_result result = sluice({"process", "Increase", R"({"counter_id":"nobody","by":1})", "--json"});
    EXPECT_EQ(result.code, 1);
    EXPECT_EQ(json::parse(result.out).at("error").at("code").as_string(), "not_found");
    EXPECT_THAT(result.err, HasSubstr("nobody"));
}

// ---- the domain library

TEST_F(command_line, a_missing_domain_is_named_with_all_places_searched) {
    const program_result result = sluice({"check", "--domain=nowhere"});
    EXPECT_EQ(result.code, 3);
    EXPECT_THAT(result.err, AllOf(HasSubstr("domain library `nowhere` was not found; searched:\n"),
                                  HasSubstr("/libnowhere.so\n"), HasSubstr("/build/lib/libnowhere.so\n")));
}

TEST_F(command_line, without_a_domain_it_says_how_to_name_one) {
    const program_result result = testing::run_sluice({"check"}, {.directory = directory_.path()});
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.err, HasSubstr("add --domain=PATH_OR_NAME or set SLUICE_DOMAIN"));
}

TEST_F(command_line, a_domain_is_found_by_name_beside_the_caller) {
    std::filesystem::create_directories(directory_ / "build/lib");
    std::filesystem::create_symlink(TINY_DOMAIN, directory_ / "build/lib/libtiny.so");
    EXPECT_EQ(sluice({"check", "--domain=tiny"}).code, 0);
    EXPECT_EQ(sluice({"check", "--domain=libtiny.so"}).code, 0);
    EXPECT_EQ(sluice({"check", "--domain=./build/lib/libtiny.so"}).code, 0);
}

TEST_F(command_line, a_name_does_not_load_what_others_may_have_put_beside_the_caller) {
    std::filesystem::copy_file(TINY_DOMAIN, directory_ / "libtiny.so");
    std::filesystem::permissions(directory_.path(), std::filesystem::perms::all);
    const program_result refused = sluice({"check", "--domain=tiny"});
    EXPECT_EQ(refused.code, 3);
    EXPECT_THAT(refused.err,
                HasSubstr("libtiny.so (there, but not loaded: it or its directory belongs to or can be written "
                          "by another user; if it is meant, give --domain its path, for example ./libtiny.so)"));
    EXPECT_EQ(sluice({"check", "--domain=./libtiny.so"}).code, 0);
}

TEST_F(command_line, check_warns_of_files_that_others_may_read) {
    create_counter("c-1");
    EXPECT_THAT(sluice({"check"}).out, Not(HasSubstr("OPEN_TO_OTHERS")));
    std::filesystem::permissions(directory_ / "tiny.db", std::filesystem::perms::others_read,
                                 std::filesystem::perm_options::add);
    EXPECT_THAT(sluice({"check"}).out, HasSubstr("tiny.db holds events and state and can be read"));
}

TEST_F(command_line, check_warns_of_a_password_that_others_may_read) {
    const auto check = [this](const char* uri) {
        configure(std::string{
                      "[databases.default]\nprovider = \"memory\"\n[brokers.default]\nprovider = \"redis\"\nURI = \""} +
                  uri + "\"\n");
        testing::program_settings with_password = settings();
        with_password.environment["PASSWORD"] = "hush";
        return testing::run_sluice({"check"}, with_password).out;
    };
    EXPECT_THAT(check("redis://:hush@localhost:1"), HasSubstr("domain.toml holds a password"));
    EXPECT_THAT(check("redis://:${PASSWORD}@localhost:1"), Not(HasSubstr("holds a password")));
    EXPECT_THAT(check("redis://localhost:1"), Not(HasSubstr("holds a password")));
    configure(usual);
}

TEST_F(command_line, looks_at_files_that_it_cannot_write) {
    if (geteuid() != 0) GTEST_SKIP() << "another user is needed who may not write";
    create_counter("c-1");
    {
        testing::running_program server{{"server"}, settings()};
        ASSERT_TRUE(eventually([&] { return partner_lane().at("published").as_int() == 1; }));
        server.signal(SIGTERM);
        ASSERT_EQ(server.finish().code, 0);
    }
    using std::filesystem::perms;
    constexpr perms read_and_enter = perms::owner_read | perms::owner_exec | perms::others_read | perms::others_exec;
    for (const auto& each : std::filesystem::recursive_directory_iterator{directory_.path()}) {
        std::filesystem::permissions(each.path(),
                                     each.is_directory() ? read_and_enter : perms::owner_read | perms::others_read);
    }
    std::filesystem::permissions(directory_.path(), read_and_enter);
    testing::program_settings as_nobody = settings();
    as_nobody.user = 65'534;
    for (const auto& command : std::vector<std::vector<std::string>>{
             {"outbox", "list"}, {"events", "list"}, {"status"}, {"db", "status"}, {"dlq", "list"}}) {
        const program_result result = testing::run_sluice(command, as_nobody);
        EXPECT_EQ(result.code, 0) << command.front() << result.err;
    }
    EXPECT_THAT(testing::run_sluice({"events", "list"}, as_nobody).out, HasSubstr("Tiny.CounterCreated.v1"));
    EXPECT_THAT(testing::run_sluice({"outbox", "retry", "--all"}, as_nobody).code, 0) << "nothing is to be retried";
    EXPECT_EQ(testing::run_sluice({"process", "CreateCounter", R"({"counter_id":"c-2"})"}, as_nobody).code, 4);
    std::filesystem::permissions(directory_.path(), perms::owner_all);
    std::filesystem::permissions(directory_ / "partner", perms::owner_all);
}

TEST_F(command_line, libraries_that_are_no_domains_are_refused) {
    EXPECT_THAT(sluice({"check", "--domain=" NO_DOMAIN}).err, HasSubstr("is no domain library"));
    EXPECT_THAT(sluice({"check", "--domain=" OTHER_VERSION}).err, HasSubstr("was built with Sluice 99.1.0"));
    EXPECT_THAT(sluice({"check", "--domain=" THROWING_FACTORY}).err, HasSubstr("failed: the stars are wrong"));
    EXPECT_THAT(sluice({"check", "--domain=./domain.toml"}).err, HasSubstr("cannot be loaded"));
    for (const char* library : {NO_DOMAIN, OTHER_VERSION, THROWING_FACTORY, "./domain.toml"}) {
        EXPECT_EQ(sluice({"check", "--domain", library}).code, 3) << library;
    }
}

// ---- check

TEST_F(command_line, check_is_content_and_writes_nothing) {
    const program_result result = sluice({"check"});
    EXPECT_EQ(result.code, 0);
    const std::string declared =
        "domain tiny: 1 aggregate, 2 events (1 published), 3 commands, 0 event handlers, 1 subscriber, 1 process "
        "manager\n";
    if (sqlite::has_wal_reset_fault(sqlite::library_version())) {
        EXPECT_THAT(result.out, AllOf(StartsWith(declared), HasSubstr("SQLITE_WAL_RESET"), HasSubstr("3.51.3"),
                                      HasSubstr("0 errors, 1 warning\n")));
    } else {
        EXPECT_EQ(result.out, declared + "no problems\n");
    }
    EXPECT_FALSE(exists("tiny.db"));
    EXPECT_FALSE(exists("default.db"));
}

TEST_F(command_line, check_reports_every_mistake_of_the_file) {
    configure(std::string{usual} + "[outbx]\nx = 1\n[log]\nlevel = \"loud\"\n");
    const program_result result = sluice({"check"});
    EXPECT_EQ(result.code, 3);
    EXPECT_THAT(result.out,
                AllOf(HasSubstr("domain.toml:21: outbx: unknown section\n  did you mean \"outbox\"?"),
                      HasSubstr("domain.toml:24: log.level = \"loud\""), HasSubstr("2 errors, 0 warnings")));

    const program_result as_json = sluice({"check", "--json"});
    EXPECT_EQ(as_json.code, 3);
    EXPECT_EQ(json::parse(as_json.out).at("findings").at(0).at("element").as_string(), "outbx");
}

TEST_F(command_line, check_warns_of_published_events_without_external_brokers) {
    configure(R"([databases.default]
provider = "memory"
[brokers.default]
provider = "inline"
[brokers.elsewhere]
provider = "inline"
)");
    const program_result result = sluice({"check"});
    EXPECT_EQ(result.code, 0);
    EXPECT_THAT(result.out, HasSubstr("warning PUBLISHED_NO_EXTERNAL_BROKER  Domain has published events but no "
                                      "external_brokers configured in outbox settings."));
}

TEST_F(command_line, nothing_is_written_while_the_configuration_is_wrong) {
    configure(R"([databases.default]
provider = "sqlite"
database_uri = "tiny.db"
[brokers.default]
provider = "inline"
)");
    for (const auto& arguments : std::vector<std::vector<std::string>>{
             {"server"}, {"process", "CreateCounter", R"({"counter_id":"c"})"}, {"process", "-"}}) {
        const program_result result = sluice(arguments);
        EXPECT_EQ(result.code, 3);
        EXPECT_THAT(result.err, HasSubstr("subscriber tiny.grumpy_listener reads from broker \"elsewhere\", which is "
                                          "not configured"));
        EXPECT_FALSE(exists("tiny.db"));
    }
}

// ---- db

TEST_F(command_line, db_setup_creates_and_then_has_nothing_to_do) {
    program_result result = sluice({"db", "status"});
    EXPECT_EQ(result.code, 4);
    EXPECT_THAT(result.out, HasSubstr("not set up; pending: "));
    EXPECT_FALSE(exists("tiny.db"));

    result = sluice({"db", "setup"});
    EXPECT_EQ(result.code, 0);
    EXPECT_THAT(result.out, HasSubstr("tiny.db): created, schema "));
    EXPECT_THAT(sluice({"db", "setup"}).out, HasSubstr("already up to date"));
    result = sluice({"db", "status"});
    EXPECT_EQ(result.code, 0);
    EXPECT_THAT(result.out, HasSubstr("up to date"));
    EXPECT_TRUE(sluice_json({"db", "status"}).at("databases").at(0).at("current").as_bool());
}

TEST_F(command_line, a_database_of_a_newer_sluice_is_refused) {
    create_counter("c");
    sql("tiny.db", "INSERT INTO sluice_migration SELECT max(number) + 1, 'later', applied_at FROM sluice_migration");
    for (const auto& arguments : std::vector<std::vector<std::string>>{
             {"server"}, {"process", "CreateCounter", R"({"counter_id":"d"})"}, {"outbox", "list"}}) {
        const program_result result = sluice(arguments);
        EXPECT_EQ(result.code, 4) << arguments.front();
        EXPECT_THAT(result.err, HasSubstr("newer"));
    }
}

TEST_F(command_line, operators_are_told_to_set_up_an_empty_database) {
    const program_result result = sluice({"outbox", "list"});
    EXPECT_EQ(result.code, 4);
    EXPECT_THAT(result.err, HasSubstr("sluice db setup"));
}

TEST_F(command_line, a_missing_directory_is_unavailable) {
    std::string text{usual};
    text.replace(text.find("sqlite:///tiny.db"), 17, "sqlite:///no/tiny.db");
    configure(text);
    const program_result result = sluice({"process", "CreateCounter", R"({"counter_id":"c"})"});
    EXPECT_EQ(result.code, 4);
    EXPECT_THAT(result.err, HasSubstr("no/tiny.db"));
}

// ---- process

TEST_F(command_line, process_runs_one_command_and_sets_up_an_embedded_database) {
    const program_result result = sluice({"process", "CreateCounter", R"({"counter_id":"c-1"})"});
    EXPECT_EQ(result.code, 0);
    EXPECT_EQ(result.out, "CreateCounter processed\n");
    EXPECT_EQ(result.err, "");
    EXPECT_EQ(sluice_json({"outbox", "list"}).at("rows").as_array().size(), 2u);
}

TEST_F(command_line, process_fails_with_the_reason_of_the_domain) {
    program_result result = sluice({"process", "CreateCounter", R"({"counter_idd":"c","x":1})"});
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.err, AllOf(HasSubstr("counter_id: is required"), HasSubstr("counter_idd")));
    result = sluice({"process", "Explode", R"({"counter_id":"c"})"});
    EXPECT_EQ(result.code, 1);
    EXPECT_EQ(result.err, "sluice: error: boom \\x1b[2J\n");
}

TEST_F(command_line, process_asynchronously_only_writes_the_command_down) {
    const program_result result = sluice({"process", "CreateCounter", R"({"counter_id":"c"})", "--async"});
    const json::value listed = sluice_json({"outbox", "list"});
    const auto& rows = listed.at("rows").as_array();
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(result.out, "CreateCounter accepted: " + rows[0].at("message_id").as_string() + "\n");
    EXPECT_EQ(rows[0].at("type").as_string(), "Tiny.CreateCounter.v1");
}

TEST_F(command_line, process_shows_the_result_and_repeats_it_for_the_same_key) {
    EXPECT_EQ(sluice({"process", "CreateCounter", R"({"counter_id":"c"})"}).code, 0);
    const std::vector<std::string> once{"process", "Increase", R"({"counter_id":"c","by":3})", "--idempotency-key",
                                        "k"};
    EXPECT_EQ(sluice(once).out, "Increase processed: 3\n");
    EXPECT_EQ(sluice(once).out, "Increase processed: 3\n") << "done once, told twice";
    const json::value other = sluice_json({"process", "Increase", R"({"counter_id":"c","by":4})"});
    EXPECT_EQ(other.at("result").as_int(), 7);

    const program_result clash =
        sluice({"process", "Increase", R"({"counter_id":"c","by":5})", "--idempotency-key", "k"});
    EXPECT_EQ(clash.code, 1);
    EXPECT_THAT(clash.err, HasSubstr("idempotency key `k` was used for Increase with other data"));
}

TEST_F(command_line, process_many_takes_a_key_from_each_line) {
    EXPECT_EQ(sluice({"process", "CreateCounter", R"({"counter_id":"c"})"}).code, 0);
    const std::string line =
        R"({"command":"Increase","data":{"counter_id":"c","by":1},"idempotency_key":"k-1"})" + std::string{"\n"};
    EXPECT_EQ(sluice({"process", "-"}, line + line).out, "2 processed, 0 failed\n");
    EXPECT_EQ(sluice({"process", "Increase", R"({"counter_id":"c","by":1})"}).out, "Increase processed: 2\n");
    EXPECT_EQ(sluice({"process", "-", "--idempotency-key", "k"}, line).code, 2);
}

TEST_F(command_line, process_runs_nothing_whose_time_is_up) {
    const program_result result = sluice({"process", "CreateCounter", R"({"counter_id":"c"})", "--timeout", "0s"});
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.err, HasSubstr("CreateCounter was to begin before"));
    EXPECT_EQ(sluice_json({"outbox", "list"}).at("rows").as_array().size(), 0u);
}

std::string create_line(const std::string& id) {
    return R"({"command": "CreateCounter", "data": {"counter_id": ")" + id + "\"}}\n";
}

TEST_F(command_line, process_many_reports_bad_lines_by_number_and_goes_on) {
    const std::string input = create_line("a") + "nonsense\n\n" + R"({"command": "CreateCounter"})" + "\n" +
                              R"({"command": "Increase", "data": {"counter_id": "nobody", "by": 1}})" + "\n" +
                              R"({"command": "Explode", "data": {"counter_id": "x"}})" + "\n" +
                              R"({"command": "Increase", "data": {"counter_id": "a"}, "when": 1})" + "\n[]\n" +
                              R"({"command": "Increase", "data": {"counter_id": "a", "by": 2}})";
    const program_result result = sluice({"process", "-"}, input);
    EXPECT_EQ(result.code, 1);
    EXPECT_EQ(result.out, "2 processed, 6 failed\n");
    EXPECT_THAT(result.err, MatchesRegex("line 2: invalid JSON[^\n]*\n"
                                         "line 4: [^\n]*data[^\n]*\n"
                                         "line 5: [^\n]*nobody[^\n]*\n"
                                         "line 6: boom .x1b.2J\n"
                                         "line 7: unknown key `when`[^\n]*\n"
                                         "line 8: the line is no JSON object\n"));
    EXPECT_EQ(sluice_json({"outbox", "list"}).at("rows").as_array().size(), 3u);
}

TEST_F(command_line, process_many_as_json_ends_with_a_summary) {
    const program_result result = sluice({"process", "-", "--json"}, create_line("a") + "x\n" + create_line("b"));
    EXPECT_EQ(result.code, 1);
    const auto second_line = result.out.find('\n') + 1;
    EXPECT_EQ(json::parse(result.out.substr(0, second_line)).at("line").as_int(), 2);
    const json::value summary = json::parse(result.out.substr(second_line));
    EXPECT_EQ(summary.at("processed").as_int(), 2);
    EXPECT_EQ(summary.at("failed").as_int(), 1);
}

TEST_F(command_line, process_many_of_nothing_succeeds) {
    const program_result result = sluice({"process", "-"}, "");
    EXPECT_EQ(result.code, 0);
    EXPECT_EQ(result.out, "0 processed, 0 failed\n");
}

TEST_F(command_line, process_many_works_while_lines_still_come) {
    testing::running_program program{{"process", "-", "--json"}, settings()};
    program.write(create_line("a") + "x\n");
    EXPECT_TRUE(program.wait_for_text("\"line\":2"));  // although the input has not ended
    program.write(create_line("b"));
    const program_result result = program.finish();
    EXPECT_THAT(result.out, HasSubstr("\"processed\":2,\"failed\":1"));
}

TEST_F(command_line, process_many_ends_at_the_line_that_meets_an_outage) {
    testing::running_program program{{"process", "-"}, settings()};
    program.write(create_line("a") + "x\n");
    ASSERT_TRUE(program.wait_for_text("line 2: "));
    std::filesystem::rename(settings().directory / "tiny.db", settings().directory / "away.db");
    program.write(create_line("b") + create_line("c"));
    const program_result result = program.finish();
    EXPECT_EQ(result.code, 4);
    EXPECT_THAT(result.out, HasSubstr("1 processed, 1 failed; stopped at line 3, which was not processed"));
    EXPECT_THAT(result.err, AllOf(HasSubstr("line 3: "), Not(HasSubstr("line 4"))));
}

TEST_F(command_line, process_many_stops_between_lines_on_interrupt) {
    testing::running_program program{{"process", "-"}, settings()};
    program.write(create_line("a") + "x\n");
    ASSERT_TRUE(program.wait_for_text("line 2"));
    program.signal(SIGINT);
    ASSERT_TRUE(program.wait_for_text("1 processed, 1 failed; stopped after line 2\n"));
    EXPECT_EQ(program.finish().code, 130);
}

// ---- server

TEST_F(command_line, server_publishes_and_stops_in_order_on_sigterm) {
    create_counter("c-1");
    testing::running_program server{{"server"}, settings()};
    ASSERT_TRUE(server.wait_for_text("server.ready"));
    ASSERT_TRUE(server.wait_for_text("server.lane name=default:partner"));
    EXPECT_TRUE(eventually([&] { return partner_lane().at("published").as_int() == 1; }));
    EXPECT_NE(partner_lane().at("state").as_string(), "stopped");
    server.signal(SIGTERM);
    const program_result result = server.finish();
    EXPECT_EQ(result.code, 0);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(partner_lane().at("state").as_string(), "stopped");
    EXPECT_EQ(partner_lane().at("broker").as_string(), "partner");
}

TEST_F(command_line, server_needs_nothing_but_a_domain) {
    testing::running_program server{{"server", "--domain=" TINY_DOMAIN}, {.directory = directory_.path()}};
    ASSERT_TRUE(server.wait_for_text("server.ready"));
    server.signal(SIGINT);
    EXPECT_EQ(server.finish().code, 0);
}

TEST_F(command_line, server_logs_as_configured) {
    configure(std::string{usual} + "[log]\nformat = \"json\"\nlevel = \"warn\"\n");
    testing::running_program server{{"server"}, settings()};
    // The tables are there a moment after the file.
    ASSERT_TRUE(eventually([&] {
        const program_result status = exists("tiny.db") ? sluice({"status", "--json"}) : program_result{};
        return status.code == 0 && json::parse(status.out).at("lanes").at(1).at("state").as_string() == "idle";
    }));
    server.signal(SIGTERM);
    const program_result result = server.finish();
    EXPECT_EQ(result.code, 0);
    // Nothing of what is told at `info`; a faulty SQLite is a warning.
    EXPECT_THAT(result.err, Not(HasSubstr("\"level\":\"info\"")));
    const bool warns = sqlite::has_wal_reset_fault(sqlite::library_version());
    EXPECT_EQ(std::ranges::count(result.err, '\n'), warns ? 1 : 0) << result.err;
    if (warns) {
        EXPECT_EQ(json::parse(result.err).at("code").as_string(), "SQLITE_WAL_RESET");
    }
}

// ---- status and outbox

TEST_F(command_line, status_needs_no_server) {
    create_counter("c-1");
    const program_result result = sluice({"status"});
    EXPECT_EQ(result.code, 0);
    EXPECT_THAT(result.out, MatchesRegex("LANE +STATE +DEPTH +OLDEST +FAILED +ABANDONED +RATE +SINCE\n"
                                         "default +stopped +1 +[0-9]+s +0 +0 +0/s +-\n"
                                         "partner +stopped +1 +[0-9]+s +0 +0 +0/s +-\n"));
    EXPECT_EQ(testing::run_sluice({"status"}, {.directory = directory_.path()}).code, 0);  // nor a domain
}

TEST_F(command_line, status_goes_on_without_a_broker_that_is_away) {
    create_counter("c-1");
    std::filesystem::remove(directory_ / "partner");
    const program_result result = sluice({"status", "--json"});
    EXPECT_EQ(result.code, 0);
    EXPECT_EQ(json::parse(result.out).at("unavailable").at(0).at("what").as_string(), "broker partner");
    EXPECT_EQ(json::parse(result.out).at("lanes").as_array().size(), 2u);
}

TEST_F(command_line, outbox_list_filters_and_show_shows_everything) {
    create_counter("c-1");
    create_counter("c-2");
    const auto count = [&](std::vector<std::string> filter) {
        filter.insert(filter.begin(), {"outbox", "list"});
        return sluice_json(filter).at("rows").as_array().size();
    };
    EXPECT_EQ(count({}), 4u);
    EXPECT_EQ(count({"--broker", "partner"}), 2u);
    EXPECT_EQ(count({"--stream", "tiny::counter-c-1"}), 2u);
    EXPECT_EQ(count({"--stream", "tiny::counter"}), 4u);
    EXPECT_EQ(count({"--status", "pending"}), 4u);
    EXPECT_EQ(count({"--status", "published"}), 0u);
    EXPECT_EQ(count({"--older-than", "1h"}), 0u);
    EXPECT_EQ(count({"--limit", "3"}), 3u);
    EXPECT_THAT(sluice({"outbox", "list"}).out,
                HasSubstr("tiny::counter-c-2-0.1  partner  pending  Tiny.CounterCreated.v1      0"));
    EXPECT_EQ(sluice({"outbox", "list", "--status", "failed"}).out, "no rows\n");

    const std::string id = "tiny::counter-c-1-0.1";
    EXPECT_THAT(sluice({"outbox", "show", id}).out,
                AllOf(HasSubstr("message   " + id), HasSubstr("\"counter_id\": \"c-1\""), HasSubstr("metadata"),
                      HasSubstr("checksum")));
    const json::value shown = sluice_json({"outbox", "show", id, "--envelope"});
    EXPECT_EQ(shown.at("rows").as_array().size(), 2u);
    EXPECT_EQ(shown.at("envelope").at("metadata").at("headers").at("id").as_string(), id);
    EXPECT_FALSE(shown.at("envelope").at("metadata").at("envelope").contains("checksum"));
    EXPECT_EQ(sluice({"outbox", "show", "nope"}).code, 1);
}

TEST_F(command_line, discard_gives_up_and_retry_brings_back) {
    create_counter("c-1");
    const std::string id = "tiny::counter-c-1-0.1";
    EXPECT_EQ(sluice({"outbox", "discard", id, "--broker", "partner"}).out, "1 row given up\n");
    json::value row = sluice_json({"outbox", "list", "--broker", "partner"}).at("rows").at(0);
    EXPECT_EQ(row.at("status").as_string(), "abandoned");
    EXPECT_EQ(row.at("last_error").at("reason").as_string(), "discarded");

    EXPECT_EQ(sluice({"outbox", "discard", id, "--broker", "partner"}).code, 1);  // nothing left to discard
    EXPECT_EQ(sluice_json({"outbox", "retry", "--all"}).at("changed").as_int(), 1);
    EXPECT_EQ(sluice_json({"outbox", "retry", "--all"}).at("changed").as_int(), 0);
    row = sluice_json({"outbox", "list", "--broker", "partner"}).at("rows").at(0);
    EXPECT_EQ(row.at("status").as_string(), "pending");
}

TEST_F(command_line, everything_is_given_up_only_when_somebody_agreed) {
    create_counter("c-1");
    const program_result refused = sluice({"outbox", "discard", "--all"});
    EXPECT_EQ(refused.code, 2);
    EXPECT_THAT(refused.err, HasSubstr("discard 2 rows? There is no terminal to ask on: add --yes"));
    EXPECT_EQ(partner_lane().at("pending").as_int(), 1);
}

TEST_F(command_line, suggests_what_was_meant) {
    const auto told = [this](const std::vector<std::string>& arguments) {
        const program_result result = sluice(arguments);
        EXPECT_EQ(result.code, 2) << ::testing::PrintToString(arguments);
        return result.err;
    };
    EXPECT_THAT(told({"sevrer"}), HasSubstr("there is no command `sevrer`; did you mean `server`?"));
    EXPECT_THAT(told({"man", "sevrer"}), HasSubstr("there is no command `sevrer`; `sluice --help` lists them"));
    EXPECT_THAT(told({"outbox", "lsit"}), HasSubstr("did you mean `list`?"));
    EXPECT_THAT(told({"outbox", "list", "--brokr", "x"}), HasSubstr("there is no --brokr; did you mean --broker?"));
    EXPECT_THAT(told({"status", "--jsno"}), HasSubstr("did you mean --json?"));
    EXPECT_THAT(told({"--config", "x", "statsu"}), HasSubstr("did you mean `status`?"));
}

TEST_F(command_line, a_list_that_is_empty_by_mistake_says_so) {
    create_counter("c-1");
    EXPECT_THAT(sluice({"outbox", "list", "--broker", "partnr"}).err,
                HasSubstr("there is no broker `partnr`, and no row for one; did you mean \"partner\"?"));
    EXPECT_EQ(sluice({"outbox", "list", "--broker", "elsewhere"}).err, "");
}

TEST_F(command_line, an_environment_that_the_file_does_not_have_is_an_error) {
    configure(usual + "[production.log]\nlevel = \"warn\"\n");
    testing::program_settings in_production = settings();
    in_production.environment["SLUICE_ENV"] = "prodction";
    const program_result refused = testing::run_sluice({"check"}, in_production);
    EXPECT_EQ(refused.code, 3);
    EXPECT_THAT(refused.out, AllOf(HasSubstr("SLUICE_ENV=prodction names no environment of this file"),
                                   HasSubstr("did you mean \"production\"?")));
    in_production.environment["SLUICE_ENV"] = "production";
    EXPECT_EQ(testing::run_sluice({"check"}, in_production).code, 0);
}

TEST_F(command_line, check_looks_at_the_overlays_of_other_environments) {
    configure(usual +
              "[production.log]\nlevel = \"wran\"\n[production.databases.default]\ndatabase_uri = \"${ABSENT}\"\n");
    const program_result result = sluice({"check"});
    EXPECT_EQ(result.code, 0);
    EXPECT_THAT(result.out, AllOf(HasSubstr("OVERLAY  with SLUICE_ENV=production: domain.toml"), HasSubstr("log.level"),
                                  Not(HasSubstr("ABSENT"))));
}

TEST_F(command_line, process_many_takes_a_byte_order_mark_for_none) {
    const auto line = R"({"command":"CreateCounter","data":{"counter_id":"c-1"}})";
    EXPECT_EQ(sluice({"process", "-"}, std::string{"\xEF\xBB\xBF"} + line + "\n").out, "1 processed, 0 failed\n");
}

TEST_F(command_line, process_continues_a_trace) {
    const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    ASSERT_EQ(sluice({"process", "CreateCounter", R"({"counter_id":"c-1"})", "--traceparent", trace}).code, 0);
    EXPECT_THAT(sluice({"events", "list", "--json"}).out, HasSubstr("0af7651916cd43dd8448eb211c80319c"));
    EXPECT_NE(sluice({"process", "CreateCounter", R"({"counter_id":"c-2"})", "--traceparent", "nonsense"}).code, 0);
}

TEST_F(command_line, events_are_found_by_the_bare_name_of_their_type) {
    create_counter("c-1");
    EXPECT_EQ(sluice_json({"events", "list", "--type", "CounterCreated"}).at("events").as_array().size(), 1u);
    EXPECT_EQ(sluice_json({"events", "list", "--type", "Tiny.CounterCreated.v1"}).at("events").as_array().size(), 1u);
    EXPECT_EQ(sluice_json({"events", "list", "--type", "Created"}).at("events").as_array().size(), 0u);
}

TEST_F(command_line, changes_go_beyond_one_write) {
    std::string input;
    for (int i = 0; i < 1500; ++i) input += create_line("c-" + std::to_string(i));
    ASSERT_EQ(sluice({"process", "-"}, input).out, "1,500 processed, 0 failed\n");
    EXPECT_EQ(sluice_json({"outbox", "discard", "--all", "--yes"}).at("changed").as_int(), 3000);
    EXPECT_EQ(sluice({"outbox", "retry", "--broker", "partner"}).out, "1,500 rows given a full new budget\n");
    EXPECT_EQ(sluice_json({"outbox", "list", "--status", "pending", "--limit", "5000"}).at("rows").as_array().size(),
              1500u);
}

TEST_F(command_line, a_removed_broker_is_reported_and_can_be_retired) {
    create_counter("c-1");
    EXPECT_EQ(sluice({"outbox", "retire", "partner"}).code, 1);  // still configured
    std::string text{usual};
    text.replace(text.find("external_brokers = [\"partner\"]"), 30, "");
    configure(text);

    EXPECT_THAT(sluice({"check"}).out, HasSubstr("sluice outbox retire partner"));
    EXPECT_THAT(sluice({"status"}).err, HasSubstr("sluice outbox retire partner"));
    EXPECT_EQ(sluice_json({"status"}).at("orphans").at(0).at("rows").as_int(), 1);
    {
        testing::running_program server{{"server"}, settings()};
        EXPECT_TRUE(server.wait_for_text("sluice outbox retire partner"));
    }
    const program_result misspelt = sluice({"outbox", "retire", "partnr"});
    EXPECT_EQ(misspelt.code, 1);
    EXPECT_THAT(misspelt.err, HasSubstr("did you mean \"partner\"?"));

    EXPECT_EQ(sluice({"outbox", "retire", "partner"}).out, "1 row given up\n");
    EXPECT_THAT(sluice({"check"}).out, Not(HasSubstr("retire")));
    EXPECT_EQ(
        sluice_json({"outbox", "list", "--broker", "default"}).at("rows").at(0).at("status").as_string() == "abandoned",
        false);
}

TEST_F(command_line, retry_leaves_rows_that_no_lane_would_send_and_says_so) {
    create_counter("c-1");
    ASSERT_EQ(sluice_json({"outbox", "discard", "--all", "--yes"}).at("changed").as_int(), 2);
    std::string text{usual};
    text.replace(text.find("external_brokers = [\"partner\"]"), 30, "");
    configure(text);

    const program_result retried = sluice({"outbox", "retry", "--all", "--yes"});
    EXPECT_EQ(retried.code, 1);
    EXPECT_EQ(retried.out, "1 row given a full new budget\n");
    EXPECT_THAT(retried.err,
                AllOf(HasSubstr("left: 1 row for broker partner"), HasSubstr("sluice outbox retire partner")));
    const program_result again = sluice({"outbox", "retry", "--broker", "partner", "--yes", "--json"});
    EXPECT_EQ(again.code, 1);
    const json::value told = json::parse(again.out);
    EXPECT_EQ(told.at("changed").as_int(), 0);
    EXPECT_EQ(told.at("left").at(0).at("count").as_int(), 1);
    EXPECT_EQ(told.at("left").at(0).at("broker").as_string(), "partner");
}

// ---- dead letters

class dead_letter_commands : public command_line {
protected:
    /// Lets the server set aside one message that its subscriber refuses and one that nobody can read.
    dead_letter_commands() {
        const std::string good =
            R"({"data":{},"metadata":{"headers":{"id":"m-1","type":"Other.Thing.v1","stream":"other::thing-1"}}})";
        const std::string raw{"\xff\x00\x1b[2J", 6};
        const auto elsewhere = broker::make_sqlite_broker({.path = directory_ / "elsewhere.db"});
        const std::vector<broker::outgoing> batch{
            {.stream = "other::thing", .message_id = "m-1", .key = "other::thing-1", .body = good},
            {.stream = "other::thing", .message_id = "m-2", .key = "other::thing-2", .body = raw}};
        for (const auto& verdict : elsewhere->open_publisher()->publish(batch, {}, std::chrono::seconds{10})) {
            EXPECT_TRUE(std::holds_alternative<broker::delivered>(verdict));
        }
        server_.emplace(std::vector<std::string>{"server"}, settings());
        EXPECT_TRUE(eventually([&] { return dead() == 2; }));
    }

    [[nodiscard]] std::size_t dead() const { return sluice_json({"dlq", "list"}).at("dead_letters").as_array().size(); }
    [[nodiscard]] std::string id_of(const std::string& code) const {
        const json::value listed = sluice_json({"dlq", "list"});
        for (const json::value& letter : listed.at("dead_letters").as_array()) {
            if (letter.at("code").as_string() == code) return letter.at("id").as_string();
        }
        ADD_FAILURE() << "no dead letter with code " << code;
        return {};
    }

    std::optional<testing::running_program> server_;
};

TEST_F(dead_letter_commands, are_listed_shown_replayed_and_purged) {
    const program_result listed = sluice({"dlq", "list"});
    EXPECT_EQ(listed.code, 0);
    EXPECT_THAT(listed.out,
                AllOf(HasSubstr("tiny.grumpy_listener"), HasSubstr("do not like m-1 "), HasSubstr("undecodable")));
    EXPECT_THAT(listed.out, Not(HasSubstr("\x1b")));
    EXPECT_EQ(sluice_json({"dlq", "list", "--group", "nobody"}).at("dead_letters").as_array().size(), 0u);
    EXPECT_EQ(sluice_json({"dlq", "list", "--broker", "elsewhere", "--stream", "other::thing"})
                  .at("dead_letters")
                  .as_array()
                  .size(),
              2u);

    const std::string raw = id_of("undecodable");
    EXPECT_THAT(sluice({"dlq", "show", raw}).out, HasSubstr("base64: /wAbWzJK"));
    EXPECT_EQ(sluice_json({"dlq", "show", raw}).at("body_base64").as_string(), "/wAbWzJK");
    EXPECT_TRUE(sluice_json({"dlq", "show", raw}).at("body").is_null());
    EXPECT_EQ(sluice({"dlq", "show", "999999"}).code, 1);

    server_.reset();  // nobody takes what is handed back
    const std::string refused = id_of("handler_failed");
    EXPECT_THAT(sluice({"dlq", "show", refused}).out, HasSubstr("\"type\": \"Other.Thing.v1\""));
    EXPECT_EQ(sluice({"dlq", "replay", refused}).out, "1 dead letter handed back to the group that failed\n");
    EXPECT_EQ(dead(), 1u);
    EXPECT_EQ(sluice({"dlq", "replay", refused}).code, 1);
    EXPECT_EQ(sluice_json({"dlq", "purge", "--all", "--yes"}).at("changed").as_int(), 1);
    EXPECT_EQ(sluice({"dlq", "list"}).out, "no dead letters\n");
}

TEST_F(dead_letter_commands, are_changed_although_another_broker_is_away) {
    server_.reset();
    std::filesystem::remove_all(directory_ / "partner");
    const program_result purged = sluice({"dlq", "purge", "--all", "--yes"});
    EXPECT_EQ(purged.code, 1) << "what lies on the other broker is left";
    EXPECT_EQ(purged.out, "2 dead letters deleted\n");
    EXPECT_THAT(purged.err, HasSubstr("broker partner: "));
    const json::value told = json::parse(sluice({"dlq", "replay", "--all", "--yes", "--json"}).out);
    EXPECT_EQ(told.at("changed").as_int(), 0);
    EXPECT_EQ(told.at("left").at(0).at("broker").as_string(), "partner");
}

TEST_F(dead_letter_commands, show_in_the_status_of_their_subscription) {
    const json::value status = sluice_json({"subscriptions", "status"});
    const json::value listener = status.at("subscriptions").at(3);
    EXPECT_EQ(listener.at("handler").as_string(), "tiny.grumpy_listener");
    EXPECT_EQ(listener.at("state").as_string(), "dead_letters");
    EXPECT_EQ(listener.at("dead").as_int(), 2);
    EXPECT_EQ(listener.at("lag").as_int(), 0);
    const json::value retries = listener.at("settings").at("max_retries");
    EXPECT_EQ(retries.at("value").as_int(), 1);
    EXPECT_EQ(retries.at("from").as_string(), "global");
    EXPECT_TRUE(retries.at("profile").is_null());
    EXPECT_EQ(status.at("summary").at("dead_letters").as_int(), 1);
    EXPECT_THAT(sluice({"subscriptions", "status"}).out, HasSubstr("2  has dead letters  max_retries=1\n"));
}

// ---- terminals

class command_on_terminal : public command_line {
protected:
    [[nodiscard]] program_result on_terminal(const std::vector<std::string>& arguments, std::string_view typed = {},
                                             const std::map<std::string, std::string>& more = {}) const {
        testing::program_settings with = settings();
        with.on_terminal = true;
        with.environment.insert(more.begin(), more.end());
        testing::running_program program{arguments, with};
        if (!typed.empty()) {
            EXPECT_TRUE(program.wait_for_text("[y/N]"));
            program.write(typed);
        }
        return program.finish();
    }
};

TEST_F(command_on_terminal, colours_are_for_terminals_without_no_color) {
    create_counter("c");
    EXPECT_THAT(on_terminal({"status"}).out, HasSubstr("\x1b[31mstopped\x1b[0m"));
    EXPECT_THAT(on_terminal({"status"}, {}, {{"NO_COLOR", "1"}}).out, Not(HasSubstr("\x1b")));
    EXPECT_THAT(sluice({"status"}).out, Not(HasSubstr("\x1b")));
}

TEST_F(command_on_terminal, changes_ask_first) {
    create_counter("c");
    program_result result = on_terminal({"outbox", "discard", "--all"}, "n\n");
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.out, AllOf(HasSubstr("discard 2 rows? [y/N]"), HasSubstr("nothing was changed")));
    result = on_terminal({"outbox", "discard", "--broker", "partner"}, "y\n");
    EXPECT_EQ(result.code, 0);
    EXPECT_THAT(result.out, HasSubstr("1 row given up"));
    EXPECT_THAT(on_terminal({"outbox", "discard", "--all", "--yes"}).out, Not(HasSubstr("[y/N]")));
}

}  // namespace
}  // namespace sluice
