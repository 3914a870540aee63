#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sluice/json.hpp>

#include <csignal>

#include "broker/sqlite/sqlite_broker.hpp"
#include "integration/command_line.hpp"

// How each subscription is configured, and `sluice subscriptions`.
namespace sluice {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using testing::program_result;

TEST_F(command_line, a_section_for_a_handler_that_is_not_there_refuses_the_start) {
    configure(std::string{usual} + "subscriptions.grumpy_listner.max_retries = 2\n");
    const program_result checked = sluice({"check"});
    EXPECT_EQ(checked.code, 3);
    EXPECT_THAT(checked.out, AllOf(HasSubstr("error UNKNOWN_SUBSCRIPTION  [server.subscriptions.grumpy_listner]"),
                                   HasSubstr("did you mean \"grumpy_listener\"?")));
    const program_result started = sluice({"server"});
    EXPECT_EQ(started.code, 3);
    EXPECT_THAT(started.err, HasSubstr("did you mean \"grumpy_listener\"?"));
    EXPECT_FALSE(exists("tiny.db"));
}

TEST_F(command_line, subscriptions_status_needs_no_server_and_writes_nothing_down) {
    configure(std::string{usual} + "subscriptions.commands = { profile = \"fast\", claim_seconds = 9 }\n");
    const program_result result = sluice({"subscriptions", "status"});
    EXPECT_EQ(result.code, 0) << result.err;
    EXPECT_THAT(result.out,
                MatchesRegex("SUBSCRIPTION +BROKER +STREAM +LAG +PENDING +DEAD +STATE +SETTINGS\n"
                             "tiny.Tally +default +tiny::counter +- +- +- +never read +max_retries=1\n"
                             "tiny.Tally +default +tiny::tally:timeout +- +- +- +never read +max_retries=1\n"
                             "commands +default +tiny::counter:command +- +- +- +never read +profile=fast "
                             "claim_seconds=9\n"
                             "tiny.grumpy_listener +elsewhere +other::thing +- +- +- +never read +max_retries=1\n"
                             "\n4 subscriptions: 4 never read\n"));
    EXPECT_FALSE(exists("tiny.db"));
}

TEST_F(command_line, subscriptions_status_shows_the_rest_when_a_broker_is_away) {
    std::string text{usual};
    text.replace(text.find("\"elsewhere.db\""), 14, "\"nowhere/else.db\"");
    configure(text);
    const program_result result = sluice({"subscriptions", "status"});
    EXPECT_EQ(result.code, 4);
    EXPECT_THAT(result.out, AllOf(ContainsRegex("commands +default +tiny::counter:command +- +- +- +never read"),
                                  ContainsRegex("tiny.grumpy_listener +elsewhere +other::thing +- +- +- +-"),
                                  HasSubstr("4 subscriptions: 3 never read, 1 unknown")));
    EXPECT_THAT(result.err, HasSubstr("broker elsewhere is unavailable: "));

    const program_result as_json = sluice({"subscriptions", "status", "--json"});
    EXPECT_EQ(as_json.code, 4);
    const json::value status = json::parse(as_json.out);
    EXPECT_EQ(status.at("unavailable").at(0).at("what").as_string(), "broker elsewhere");
    EXPECT_EQ(status.at("subscriptions").at(3).at("state").as_string(), "unknown");
    EXPECT_TRUE(status.at("subscriptions").at(3).at("lag").is_null());
}

TEST_F(command_line, subscriptions_status_counts_what_waits) {
    {
        const testing::running_program server{{"server"}, settings()};
        ASSERT_TRUE(eventually([&] {
            return sluice({"subscriptions", "status"}).out.find("4 subscriptions: 4 ok") != std::string::npos;
        }));
    }
    const auto elsewhere = broker::make_sqlite_broker({.path = directory_ / "elsewhere.db"});
    const broker::outgoing message{.stream = "other::thing", .message_id = "m-1", .key = "k", .body = "{}"};
    static_cast<void>(elsewhere->open_publisher()->publish({&message, 1}, {}, std::chrono::seconds{10}));
    const json::value listener = sluice_json({"subscriptions", "status"}).at("subscriptions").at(3);
    EXPECT_EQ(listener.at("state").as_string(), "lagging");
    EXPECT_EQ(listener.at("lag").as_int(), 1);
}

TEST_F(command_line, subscriptions_status_says_that_an_inline_broker_cannot_be_seen) {
    configure(
        "[databases.default]\nprovider = \"memory\"\n[brokers.default]\nprovider = \"inline\"\n"
        "[brokers.elsewhere]\nprovider = \"inline\"\n");
    const program_result result = sluice({"subscriptions", "status"});
    EXPECT_EQ(result.code, 0);
    EXPECT_THAT(result.out, HasSubstr("4 subscriptions: 4 unknown"));
    EXPECT_THAT(result.err, HasSubstr("broker default is inside the server's process (inline)"));
}

TEST_F(command_line, a_subscription_without_dead_letters_logs_what_it_drops) {
    configure(std::string{usual} + "subscriptions.grumpy_listener.enable_dlq = false\n");
    const auto elsewhere = broker::make_sqlite_broker({.path = directory_ / "elsewhere.db"});
    const broker::outgoing message{
        .stream = "other::thing",
        .message_id = "m-1",
        .key = "k",
        .body = R"({"data":{},"metadata":{"headers":{"id":"m-1","type":"Other.Thing.v1","stream":"other::thing-1"}}})"};
    static_cast<void>(elsewhere->open_publisher()->publish({&message, 1}, {}, std::chrono::seconds{10}));
    testing::running_program server{{"server"}, settings()};
    ASSERT_TRUE(server.wait_for_text("message.dropped"));
    server.signal(SIGTERM);
    const program_result result = server.finish();
    EXPECT_THAT(result.err, AllOf(HasSubstr("NO_DEAD_LETTERS"),
                                  ContainsRegex(" error message.dropped [^\n]*message_id=m-1 [^\n]*"
                                                "handler=tiny.grumpy_listener error=\"do not like m-1")));
    EXPECT_EQ(sluice({"dlq", "list"}).out, "no dead letters\n");
}

}  // namespace
}  // namespace sluice
