#include "consume/route.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "post_fixture.hpp"

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
    EXPECT_THAT(found, ElementsAre("post.stamp_clerk | inner | post::letter | post.stamp_clerk",
                                   "commands | inner | post::letter:command | post.commands:post::letter",
                                   "post.parcel_counter | default | abroad::parcel | post.parcel_counter"));
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
