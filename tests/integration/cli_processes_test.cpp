#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "integration/command_line.hpp"
#include "store/sqlite/sqlite_database.hpp"

namespace sluice {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

TEST_F(command_line, processes_are_listed_and_shown_with_state_steps_and_timers) {
    ASSERT_EQ(sluice({"db", "setup"}).code, 0);
    EXPECT_EQ(sluice({"processes", "list"}).out, "no processes\n");
    create_counter("a-1");
    create_counter("b");
    ASSERT_EQ(sluice({"process", "Increase", R"({"counter_id":"a-1","by":10})"}).code, 0);
    {
        testing::running_program server{{"server"}, settings()};
        ASSERT_TRUE(eventually([&] {
            const json::value found = sluice_json({"processes", "list", "--pm", "Tally"});
            const json::array& all = found.at("processes").as_array();
            return all.size() == 2 && all[0].at("state").as_string() == "complete";
        }));
        server.signal(SIGTERM);
        EXPECT_EQ(server.finish().code, 0);
    }
    const json::value open = sluice_json({"processes", "list", "--open"});
    ASSERT_EQ(open.at("processes").as_array().size(), 1U);
    EXPECT_EQ(open.at("processes").at(0).at("correlation").as_string(), "b");
    EXPECT_EQ(open.at("processes").at(0).at("process").as_string(), "tiny.Tally");
    EXPECT_EQ(open.at("processes").at(0).at("timers").at(0).at("name").as_string(), "patience");
    EXPECT_THAT(sluice({"processes", "list"}).out,
                ContainsRegex("tiny.Tally +b +open +1 +CounterCreated +[0-9]+s +patience in 1h 59m"));

    const json::value shown = sluice_json({"processes", "show", "Tally", "a-1"});
    EXPECT_EQ(shown.at("state").as_string(), "complete");
    EXPECT_EQ(shown.at("steps").as_int(), 2);
    EXPECT_EQ(shown.at("data").at("total").as_int(), 10);
    EXPECT_EQ(shown.at("history").at(0).at("cause").as_string(), "CounterCreated");
    EXPECT_THAT(sluice({"processes", "show", "tiny.Tally", "b"}).out,
                AllOf(HasSubstr("state     open"), HasSubstr("timers    patience in 1h 59m"), HasSubstr("total")));

    testing::program_result result = sluice({"processes", "show", "Tally", "nobody"});
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.err, HasSubstr("there is no process tiny.Tally for `nobody`"));
    result = sluice({"processes", "list", "--pm", "Taly"});
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.err, HasSubstr("did you mean \"Tally\"?"));
    result = sluice({"processes", "show", "", "b"});
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.err, HasSubstr("PM is empty"));
}

TEST_F(command_line, status_tells_of_a_schedule_that_nobody_keeps) {
    ASSERT_EQ(sluice({"db", "setup"}).code, 0);
    EXPECT_TRUE(sluice_json({"status"}).at("overdue").as_array().empty());
    store::commit_batch batch;
    batch.at = system_clock().now();
    batch.scheduled.push_back({.id = "late",
                               .due = batch.at - std::chrono::hours{1},
                               .message = {.event = {.message_id = "late",
                                                     .stream = "tiny::counter-c",
                                                     .stream_category = "tiny::counter",
                                                     .type = "Tiny.CounterIncreased.v1",
                                                     .data = "{}",
                                                     .metadata = "{}",
                                                     .created_at = batch.at}}});
    store::make_sqlite_database({.path = directory_ / "tiny.db"})->open_unit()->commit(batch);
    EXPECT_EQ(sluice_json({"status"}).at("overdue").at(0).at("messages").as_int(), 1);
    EXPECT_THAT(sluice({"status"}).err, HasSubstr("1 message of the schedule in database default overdue, the first by "
                                                  "1h 0m"));
}

}  // namespace
}  // namespace sluice
