#include "consume/route.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "post_fixture.hpp"
#include "support/bank.hpp"

namespace {

using post::fixture;
using sluice::consume::interest;
using testing::ElementsAre;

sluice::message of_type(const std::string& type) {
    return sluice::message::decode(R"({"data":{},"metadata":{"headers":{"type":")" + type + R"("}}})");
}

TEST(routes_of, gives_handlers_commands_and_subscribers_their_streams_and_groups) {
    sluice::config::configuration configuration;
    configuration.outbox.broker = "inner";
    fixture f{configuration};
    std::vector<std::string> found;
    for (const auto& route : sluice::consume::routes_of(*f.env)) {
        EXPECT_EQ(route.streams.size(), 1U);
        found.push_back(route.name + " | " + route.broker + " | " + route.streams.front() + " | " + route.group);
    }
    EXPECT_THAT(found,
                ElementsAre("post.stamp_clerk | inner | post::letter | post.stamp_clerk",
                            "commands | inner | post::letter:command | protean.server.engine.Commands:post::letter",
                            "post.parcel_counter | default | abroad::parcel | post.parcel_counter"));
}

TEST(routes_of, gives_a_process_manager_the_categories_of_its_events_and_its_timeouts) {
    const sluice::domain domain = bank::make_domain();
    const post::moved_clock clock;
    sluice::base::seeded_random random{7};
    sluice::commit::environment env{domain.declared(), {}, {}, clock, random};
    std::vector<std::string> found;
    for (const auto& route : sluice::consume::routes_of(env)) {
        if (route.name != "commands") found.push_back(route.streams.front() + " | " + route.group);
    }
    EXPECT_THAT(found, ElementsAre("bank::account | bank.Transfer", "bank::payment | bank.Transfer",
                                   "bank::transfer:timeout | bank.Transfer"));
    const auto routes = sluice::consume::routes_of(env);
    EXPECT_EQ(routes.at(0).interest_in(of_type("Bank.Deposited.v1")), interest::wanted);
    EXPECT_EQ(routes.at(0).interest_in(of_type("Bank.Deposited.v2")), interest::unknown);
    EXPECT_EQ(routes.at(2).interest_in(of_type("Bank._PMTimeout.v1")), interest::wanted);
    EXPECT_EQ(routes.at(2).interest_in(of_type("Bank.Deposited.v1")), interest::unknown);
}

TEST(routes_of, reads_the_backfill_lane_of_the_internal_broker_only) {
    sluice::config::configuration configuration;
    configuration.outbox.broker = "inner";
    configuration.server.priority_lanes = {.enabled = true, .threshold = 0, .backfill_suffix = "later"};
    fixture f{configuration};
    const auto routes = sluice::consume::routes_of(*f.env);
    EXPECT_THAT(routes.at(0).streams, ElementsAre("post::letter", "post::letter:later"));
    EXPECT_THAT(routes.at(1).streams, ElementsAre("post::letter:command", "post::letter:command:later"));
    EXPECT_THAT(routes.at(2).streams, ElementsAre("abroad::parcel"));
}

TEST(routes_of, gives_each_route_the_settings_that_were_decided_for_it) {
    sluice::config::configuration configuration;
    configuration.server.subscription.max_retries = 4;
    configuration.server.subscriptions["stamp_clerk"].max_retries = 5;
    configuration.server.subscriptions["commands"].profile = "fast";
    configuration.server.subscriptions["post.parcel_counter"].enable_dlq = false;
    fixture f{configuration};
    const auto routes = sluice::consume::routes_of(*f.env);
    EXPECT_EQ(routes.at(0).settings.max_retries, 5);
    EXPECT_EQ(routes.at(1).settings.max_retries, 2) << "the profile of its section is stronger than the global key";
    EXPECT_EQ(routes.at(1).settings.messages_per_tick, 10U);
    EXPECT_EQ(routes.at(2).settings.max_retries, 4);
    EXPECT_FALSE(routes.at(2).settings.enable_dlq);
    EXPECT_EQ(routes.at(2).decided.size(), routes.at(0).decided.size());
}

struct counting_commands : post::letter_commands {};

TEST(routes_of, options_in_the_code_are_stronger_than_the_file) {
    sluice::config::configuration configuration;
    configuration.server.subscriptions["stamp_clerk"].max_retries = 5;
    configuration.server.subscriptions["commands"].max_retries = 5;
    configuration.server.subscriptions["parcel_counter"].max_retries = 5;
    fixture f{configuration};
    sluice::domain domain{"post"};
    domain.aggregate<post::letter>().events<post::letter_posted, post::letter_stamped>();
    domain.command_handler<post::letter_commands, post::post_letter>({.max_retries = 7}, {.hook = f.hook});
    domain.command_handler<counting_commands, post::stamp_letter>({.concurrency = 3}, {{.hook = f.hook}});
    domain.event_handler<post::stamp_clerk, post::letter_posted>({.max_retries = 8}, {.hook = f.hook});
    domain.subscriber<post::parcel_counter>(
        {.broker = "default", .stream = "abroad::parcel", .subscription = {.profile = "debug"}}, {.hook = f.hook});
    domain.validate();
    sluice::commit::environment env{domain.declared(), configuration, f.env->parts(), f.clock, f.random};
    const auto routes = sluice::consume::routes_of(env);
    EXPECT_EQ(routes.at(0).settings.max_retries, 8);
    EXPECT_EQ(routes.at(1).settings.max_retries, 7);
    EXPECT_EQ(routes.at(1).settings.concurrency, 3U) << "the handlers of a category add up";
    EXPECT_EQ(routes.at(2).settings.max_retries, 1) << "its profile";
}

TEST(routes_of, tells_wanted_unwanted_and_unknown_messages_apart) {
    fixture f;
    const auto routes = sluice::consume::routes_of(*f.env);
    const auto& events = routes.at(0).interest_in;
    EXPECT_EQ(events(of_type("Post.LetterPosted.v1")), interest::wanted);
    EXPECT_EQ(events(of_type("Post.LetterStamped.v1")), interest::unwanted);
    EXPECT_EQ(events(of_type("Post.LetterPosted.v2")), interest::unknown);
    EXPECT_EQ(events(of_type("")), interest::unknown);
    const auto& commands = routes.at(1).interest_in;
    EXPECT_EQ(commands(of_type("Post.StampLetter.v1")), interest::wanted);
    EXPECT_EQ(commands(of_type("Post.LetterPosted.v1")), interest::unknown);
    EXPECT_EQ(routes.at(2).interest_in(of_type("anything")), interest::wanted);
}

}  // namespace
