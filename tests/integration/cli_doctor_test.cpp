#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <set>

#include "broker/sqlite/sqlite_broker.hpp"
#include "integration/command_line.hpp"

// `sluice doctor` on a service that really runs, and on what is wrong with it.
namespace sluice {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using testing::program_result;

class doctor : public command_line {
protected:
    /// The report, with the exit code that must come with it.
    [[nodiscard]] json::value examine(int code) const {
        const program_result result = sluice({"doctor", "--json"});
        EXPECT_EQ(result.code, code) << result.out << result.err;
        return json::parse(result.out);
    }
    /// `CODE element` of each finding, but for a fault of the SQLite that happens to be installed.
    static std::set<std::string> found(const json::value& report) {
        std::set<std::string> all;
        for (const json::value& each : report.at("findings").as_array()) {
            EXPECT_FALSE(each.at("message").as_string().empty());
            if (each.at("code").as_string() == "SQLITE_WAL_RESET") continue;
            all.insert(each.at("code").as_string() + " " + each.at("element").as_string());
        }
        return all;
    }
};

TEST_F(doctor, has_nothing_to_say_of_a_service_that_runs) {
    create_counter("c-1");
    testing::running_program server{{"server"}, settings()};
    ASSERT_TRUE(server.wait_for_text("server.ready"));
    ASSERT_TRUE(eventually([&] { return partner_lane().at("published").as_int() == 1; }));
    const json::value report = examine(0);
    EXPECT_THAT(found(report), IsEmpty());
    EXPECT_EQ(report.at("errors").as_int(), 0);
    EXPECT_EQ(json::dump(report.at("looked_at")),
              R"({"domain":"tiny","databases":1,"brokers":3,"lanes":2,"engines":1,"groups":4,"files":0})");
    server.signal(SIGTERM);
    EXPECT_EQ(server.finish().code, 0);
}

TEST_F(doctor, names_lanes_without_an_owner_and_what_waits_for_them) {
    create_counter("c-1");
    const json::value report = examine(1);
    EXPECT_EQ(report.at("result").as_string(), "failing");
    EXPECT_THAT(found(report),
                IsSupersetOf({"LANE_WITHOUT_OWNER default:default", "LANE_WITHOUT_OWNER default:partner"}));
    EXPECT_EQ(report.at("findings").at(0).at("level").as_string(), "error") << "errors come first";
    EXPECT_THAT(sluice({"doctor"}).out, AllOf(HasSubstr("domain tiny: 1 database, 3 brokers, 2 lanes of 0 engines"),
                                              HasSubstr("and 1 row waits for it"),
                                              HasSubstr("start an engine: sluice server"), HasSubstr("2 errors, ")));
}

TEST_F(doctor, tells_a_database_that_is_not_set_up_or_away) {
    EXPECT_THAT(examine(4).at("result").as_string(), "unavailable");
    create_counter("c-1");
    sql("tiny.db", "DELETE FROM sluice_migration WHERE number > 5");
    EXPECT_THAT(found(examine(4)), AllOf(Contains("SCHEMA_OUTDATED databases.default"),
                                         Not(Contains("DATABASE_UNAVAILABLE databases.default"))));
    std::ofstream{directory_ / "tiny.db"} << "no database at all, but some other file";
    EXPECT_THAT(found(examine(4)), Contains("DATABASE_UNAVAILABLE databases.default"));
}

TEST_F(doctor, tells_what_was_given_up_what_rests_and_what_everybody_may_read) {
    create_counter("c-1");
    ASSERT_EQ(sluice({"outbox", "discard", "--broker", "partner", "--yes"}).code, 0);
    ASSERT_EQ(sluice({"lanes", "pause", "partner", "--reason", "they move"}).code, 0);
    std::filesystem::permissions(directory_ / "tiny.db", std::filesystem::perms{0644});
    const json::value report = examine(1);
    EXPECT_THAT(found(report), IsSupersetOf({"ROWS_ABANDONED default:partner", "LANE_AT_REST default:partner",
                                             "OPEN_TO_OTHERS databases.default"}));
    EXPECT_THAT(json::dump(report), AllOf(HasSubstr("they move"), HasSubstr("sluice lanes resume partner")));
}

TEST_F(doctor, tells_dead_letters_with_their_group) {
    testing::running_program server{{"server"}, settings()};
    ASSERT_TRUE(server.wait_for_text("server.ready"));
    const auto dead = [&] {
        return sluice_json({"subscriptions", "status"}).at("summary").at("dead_letters").as_int();
    };
    const auto elsewhere = broker::make_sqlite_broker({.path = directory_ / "elsewhere.db"});
    const std::vector<broker::outgoing> batch{
        {.stream = "other::thing", .message_id = "m-1", .key = "other::thing-1", .body = "no envelope"}};
    const auto verdicts = elsewhere->open_publisher()->publish(batch, {}, std::chrono::seconds{10});
    ASSERT_TRUE(std::holds_alternative<broker::delivered>(verdicts.front()));
    ASSERT_TRUE(eventually([&] { return dead() == 1; }));
    const json::value report = examine(0);
    EXPECT_EQ(report.at("result").as_string(), "warnings");
    EXPECT_THAT(found(report), Contains("DEAD_LETTERS tiny.grumpy_listener"));
    EXPECT_EQ(sluice({"doctor", "--strict"}).code, 1);
    server.signal(SIGTERM);
    EXPECT_EQ(server.finish().code, 0);
}

TEST_F(doctor, tells_rows_that_nobody_removes) {
    create_counter("c-1");
    testing::running_program server{{"server"}, settings()};
    ASSERT_TRUE(server.wait_for_text("server.ready"));
    ASSERT_TRUE(eventually([&] { return partner_lane().at("published").as_int() == 1; }));
    server.signal(SIGTERM);
    ASSERT_EQ(server.finish().code, 0);
    EXPECT_THAT(found(examine(1)), Not(Contains(HasSubstr("RETENTION_BEHIND"))));
    sql("tiny.db",
        "UPDATE outbox_ledger SET settled_at = '2020-01-01T00:00:00.000000+00:00' WHERE broker = (SELECT number FROM "
        "outbox_broker"
        " WHERE name = 'partner')");
    const json::value report = examine(1);
    EXPECT_THAT(found(report), Contains("RETENTION_BEHIND default:partner"));
    EXPECT_THAT(found(report), Not(Contains("RETENTION_BEHIND default:default")));
}

TEST_F(doctor, ends_with_3_for_a_wrong_configuration_and_looks_no_further) {
    configure("[outbox]\nmessages_per_tick = -1\n");
    const json::value report = examine(3);
    EXPECT_EQ(report.at("result").as_string(), "misconfigured");
    EXPECT_THAT(found(report), Contains("CONFIGURATION outbox.messages_per_tick"));
    EXPECT_EQ(report.at("looked_at").at("databases").as_int(), 0);
}

TEST_F(doctor, needs_no_domain_but_says_what_it_left_out) {
    create_counter("c-1");
    testing::program_settings without = settings();
    without.environment.erase("SLUICE_DOMAIN");
    const program_result result = testing::run_sluice({"doctor", "--json"}, without);
    EXPECT_EQ(result.code, 1) << result.err;
    EXPECT_THAT(found(json::parse(result.out)), IsSupersetOf({"NO_DOMAIN ", "LANE_WITHOUT_OWNER default:partner"}));
}

}  // namespace
}  // namespace sluice
