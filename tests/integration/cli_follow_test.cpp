#include <gmock/gmock.h>

#include <csignal>
#include <sstream>

#include "integration/command_line.hpp"

/// `--follow` on an embedded database.
namespace sluice {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class follow_option : public command_line {
protected:
    follow_option() {
        create_counter("a");
        create_counter("b");
    }

    [[nodiscard]] testing::program_result stop(testing::running_program& program, int signal = SIGINT) const {
        program.signal(signal);
        return program.finish();
    }
    /// One member of each line, which must be an object of JSON.
    [[nodiscard]] static std::vector<std::string> members(const std::string& lines, const char* name) {
        std::vector<std::string> found;
        std::istringstream in{lines};
        for (std::string line; std::getline(in, line);) found.push_back(json::parse(line).at(name).as_string());
        return found;
    }
};

TEST_F(follow_option, events_are_shown_in_the_order_of_the_log_and_go_on) {
    testing::running_program following{{"events", "list", "--follow", "--json"}, settings()};
    ASSERT_TRUE(following.wait_for_text("counter-b-0.1"));
    create_counter("c");
    EXPECT_TRUE(following.wait_for_text("counter-c-0.1"));
    create_counter("d");
    EXPECT_TRUE(following.wait_for_text("counter-d-0.1"));
    const auto ended = stop(following);
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_EQ(ended.err, "");
    EXPECT_THAT(members(ended.out, "message_id"), ElementsAre("tiny::counter-a-0.1", "tiny::counter-b-0.1",
                                                              "tiny::counter-c-0.1", "tiny::counter-d-0.1"));
}

TEST_F(follow_option, events_are_chosen_by_the_other_options) {
    testing::running_program newest{{"events", "list", "--follow", "--limit", "1"}, settings()};
    testing::running_program all{{"events", "list", "--follow", "--limit", "1", "--oldest-first"}, settings()};
    testing::running_program one{{"events", "list", "--follow", "--stream", "tiny::counter-c", "--data"}, settings()};
    ASSERT_TRUE(newest.wait_for_text("counter-b-0.1"));
    ASSERT_TRUE(one.wait_for_text("MESSAGE ID"));
    create_counter("c");
    for (testing::running_program* each : {&newest, &all, &one}) EXPECT_TRUE(each->wait_for_text("counter-c-0.1"));
    EXPECT_THAT(stop(newest).out, AllOf(HasSubstr("counter-b-0.1"), Not(HasSubstr("counter-a-0.1"))));
    EXPECT_THAT(stop(all, SIGTERM).out, AllOf(HasSubstr("counter-a-0.1"), HasSubstr("counter-b-0.1")));
    EXPECT_THAT(stop(one).out, AllOf(HasSubstr(R"({"counter_id":"c"})"), Not(HasSubstr("counter-b"))));
    EXPECT_EQ(sluice({"events", "list", "--follow", "--older-than", "1h"}).code, 2);
    EXPECT_EQ(sluice({"outbox", "list", "--follow", "--older-than", "1h"}).code, 2);
}

TEST_F(follow_option, rows_are_shown_when_they_come_and_when_they_change) {
    testing::running_program following{{"outbox", "list", "--follow", "--broker", "partner", "--json"}, settings()};
    testing::running_program given_up{{"outbox", "list", "--follow", "--status", "abandoned", "--json"}, settings()};
    ASSERT_TRUE(following.wait_for_text("counter-b-0.1"));
    create_counter("c");
    ASSERT_TRUE(following.wait_for_text("counter-c-0.1"));
    ASSERT_EQ(sluice({"outbox", "discard", "tiny::counter-a-0.1", "--yes"}).code, 0);
    EXPECT_TRUE(following.wait_for_text("abandoned"));
    const auto ended = stop(following);
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_THAT(members(ended.out, "message_id"), ElementsAre("tiny::counter-a-0.1", "tiny::counter-b-0.1",
                                                              "tiny::counter-c-0.1", "tiny::counter-a-0.1"));
    EXPECT_THAT(members(ended.out, "status"), ElementsAre("pending", "pending", "pending", "abandoned"));
    EXPECT_TRUE(given_up.wait_for_text("counter-a-0.1"));
    EXPECT_THAT(stop(given_up).out, AllOf(HasSubstr(R"("status":"abandoned")"), Not(HasSubstr("pending"))));
}

/// Nothing is written after the pipe has closed that could fail.
TEST_F(follow_option, ends_when_nobody_reads_any_more) {
    testing::running_program following{{"events", "list", "--follow"}, settings()};
    ASSERT_TRUE(following.wait_for_text("counter-b-0.1"));
    following.close_output();
    EXPECT_TRUE(following.ends_unread());
    const auto ended = following.finish();
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_EQ(ended.err, "");
}

TEST_F(follow_option, says_that_there_is_no_database_to_follow) {
    configure(R"([databases.default]
provider = "sqlite"
database_uri = "missing/tiny.db"
[brokers.default]
provider = "inline"
)");
    const auto result = sluice({"events", "list", "--follow"});
    EXPECT_EQ(result.code, 4);
    EXPECT_THAT(result.err, HasSubstr("missing/tiny.db"));
}

}  // namespace
}  // namespace sluice
