#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sluice/json.hpp>

#include <csignal>

#include "broker/sqlite/sqlite_broker.hpp"
#include "integration/command_line.hpp"
#include "support/consumer.hpp"

// How each subscription is configured, and `sluice subscriptions`.
namespace sluice {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
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

/// A group of this domain that no handler reads, with a dead letter and a message that waits.
class orphaned_group : public command_line {
protected:
    orphaned_group() {
        EXPECT_EQ(sluice({"db", "setup"}).code, 0);
        const auto broker = open();
        const auto to = broker->open_publisher();
        for (const char* id : {"m-1", "m-2"}) {
            const broker::outgoing message{.stream = "tiny::counter", .message_id = id, .key = "k", .body = "{}"};
            static_cast<void>(to->publish({&message, 1}, {}, std::chrono::seconds{10}));
        }
        const auto reader = sluice::testing::open_consumer(*broker, "tiny::counter",
                                                           {.group = "tiny.former", .consumer = "c", .domain = "tiny"});
        const auto got = reader->read(1, system_clock().now());
        reader->dead_letter(got.at(0), {.reason = "no", .code = "handler_failed", .attempts = 1, .at = {}});
    }
    [[nodiscard]] std::unique_ptr<broker::broker> open() const {
        return broker::make_sqlite_broker({.path = directory_ / "default.db"});
    }
    [[nodiscard]] std::vector<std::string> groups() const {
        std::vector<std::string> names;
        for (const auto& each : open()->open_operations()->known_groups()) names.push_back(each.group);
        return names;
    }
};

TEST_F(orphaned_group, is_named_by_check_and_status_with_what_to_do) {
    const auto text = AllOf(HasSubstr("no handler reads consumer group tiny.former on stream tiny::counter of broker "
                                      "default any more (1 message unread, 1 dead letter)"),
                            HasSubstr("sluice subscriptions rename tiny.former NEW_NAME"),
                            HasSubstr("sluice subscriptions retire tiny.former --stream tiny::counter"));
    EXPECT_THAT(sluice({"check"}).out, text);
    EXPECT_THAT(sluice({"status"}).err, text);
    EXPECT_THAT(sluice({"subscriptions", "status"}).err, text);
    const json::value orphan = sluice_json({"subscriptions", "status"}).at("orphans").at(0);
    EXPECT_EQ(orphan.at("group").as_string(), "tiny.former");
    EXPECT_EQ(orphan.at("dead").as_int(), 1);
    EXPECT_EQ(sluice_json({"status"}).at("orphaned_groups").at(0).at("group").as_string(), "tiny.former");
}

TEST_F(orphaned_group, is_renamed_with_its_marks_unless_a_server_runs) {
    {
        const testing::running_program server{{"server"}, settings()};
        ASSERT_TRUE(
            eventually([&] { return sluice_json({"status"}).at("lanes").at(0).at("state").as_string() == "idle"; }));
        const program_result refused = sluice({"subscriptions", "rename", "tiny.former", "tiny.new"});
        EXPECT_EQ(refused.code, 1);
        EXPECT_THAT(refused.err, HasSubstr("a server of this domain is running"));
    }
    sql("tiny.db",
        "INSERT INTO inbox (message_id, handler, processed_at) VALUES ('m-0', 'tiny.former', "
        "'2026-01-01T00:00:00+00:00')");
    // It was killed, so its leases end by themselves.
    sql("tiny.db", "UPDATE lease SET expires_at = '2026-01-01T00:00:00.000000+00:00'");
    const program_result result = sluice({"subscriptions", "rename", "tiny.former", "tiny.new"});
    EXPECT_EQ(result.code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("tiny.former is called tiny.new now: 1 stream, 1 inbox mark"));
    EXPECT_THAT(result.err, HasSubstr("no handler of this build is called tiny.new"));
    EXPECT_THAT(groups(), AllOf(Contains("tiny.new"), Not(Contains("tiny.former"))));
    EXPECT_EQ(sluice_json({"dlq", "list", "--group", "tiny.new"}).at("dead_letters").as_array().size(), 1U);
    EXPECT_EQ(sluice({"subscriptions", "rename", "tiny.former", "tiny.new"}).code, 1) << "there is nothing left";
    EXPECT_EQ(sluice({"subscriptions", "rename", "tiny.new", "two words"}).code, 2);
}

TEST_F(orphaned_group, is_retired_when_asked_for_and_no_handler_reads_it) {
    const program_result result = sluice({"subscriptions", "retire", "tiny.former", "--yes"});
    EXPECT_EQ(result.code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("retired tiny.former on 1 stream with 1 unread message and 1 dead letter"));
    EXPECT_THAT(groups(), Not(Contains("tiny.former")));
    EXPECT_EQ(sluice({"dlq", "list"}).out, "no dead letters\n");
    EXPECT_EQ(sluice({"subscriptions", "retire", "tiny.former", "--yes"}).code, 1);
    const program_result declared = sluice({"subscriptions", "retire", "tiny.Tally", "--yes"});
    EXPECT_EQ(declared.code, 1);
    EXPECT_THAT(declared.err, HasSubstr("a handler of this build reads in the name of tiny.Tally"));
}

TEST_F(orphaned_group, is_told_of_once_by_a_server_that_starts) {
    testing::running_program server{{"server"}, settings()};
    EXPECT_TRUE(server.wait_for_text("subscription.orphaned"));
    server.signal(SIGTERM);
    EXPECT_THAT(server.finish().err, ContainsRegex("subscription.orphaned group=tiny.former broker=default"));
}

TEST_F(command_line, describe_lists_what_a_domain_declares) {
    const program_result text = sluice({"describe"});
    EXPECT_EQ(text.code, 0) << text.err;
    EXPECT_THAT(text.out, AllOf(ContainsRegex("Counter +tiny::counter +default +state"),
                                ContainsRegex("Increase +counter_id +identifier +yes +at most 255 characters"),
                                ContainsRegex("Increase +by +integer +yes"),
                                ContainsRegex("CounterCreated +Counter +1 +yes +counter_id"),
                                ContainsRegex("tiny.Tally +tiny.Tally +default +tiny::counter")));
    const json::value all = sluice_json({"describe"});
    const json::value& counter = all.at("aggregates").at(0);
    EXPECT_EQ(counter.at("stream").as_string(), "tiny::counter");
    EXPECT_EQ(counter.at("events").at(0).at("type").as_string(), "Tiny.CounterCreated.v1");
    EXPECT_TRUE(counter.at("events").at(0).at("published").as_bool());
    EXPECT_EQ(all.at("handlers").at(0).at("group").as_string(), "tiny.Tally");
    EXPECT_FALSE(exists("tiny.db")) << "it writes nothing";
}

}  // namespace
}  // namespace sluice
