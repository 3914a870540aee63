#include "operate/concerns.hpp"

#include <gtest/gtest.h>

namespace sluice::operate {
namespace {

using namespace std::chrono_literals;

lane_view lane(const char* broker, const char* state, lane_rows rows = {}) {
    lane_view view{.database = "default", .broker = broker, .external = true};
    view.state = state;
    view.rows = rows;
    return view;
}

TEST(concerns, a_healthy_installation_needs_nobody) {
    status_view status;
    status.lanes = {lane("a", "idle"), lane("b", "flowing", {.pending = 9, .age = duration{5s}})};
    status.groups = {{"a", {.stream = "s", .group = "g", .lag = 10}}};
    EXPECT_TRUE(concerns_of(status).empty());
}

TEST(concerns, the_most_urgent_comes_first) {
    status_view status;
    status.lanes = {lane("a", "idle"), lane("b", "stopped", {.pending = 1})};
    status.lanes[0].pause = store::lane_pause{};
    status.orphaned = {{"default", "gone", 3}};
    status.outages = {{outage::kind::broker, "c", "connection refused"}};
    const auto found = concerns_of(status);
    ASSERT_EQ(found.size(), 4U);
    EXPECT_EQ(found[0].text, "The broker c does not answer: connection refused");
    EXPECT_EQ(found[1].text, "Nobody serves the lane to b; 1 row waits.");
    EXPECT_EQ(found[2].how, urgency::soon);
    EXPECT_EQ(found[2].broker, "a");
    EXPECT_EQ(found[3].how, urgency::note);
}

TEST(concerns, tells_why_a_lane_stands_and_what_was_given_up) {
    status_view status;
    status.lanes = {lane("a", "paused", {.pending = 2, .abandoned = 1})};
    status.lanes[0].detail = "connection refused";
    const auto found = concerns_of(status);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_NE(found[0].text.find("connection refused"), std::string::npos);
    EXPECT_EQ(found[1].text, "1 row for a was given up, after the last attempt or by an operator.");
    EXPECT_EQ(found[1].what, concern::about::rows);
}

TEST(concerns, refused_rows_and_dead_letters_are_told) {
    status_view status;
    status.lanes = {lane("a", "idle", {.failed = 2, .age = duration{2min}})};
    status.groups = {{"a", {.stream = "s", .group = "g", .dead = 3}}};
    const auto found = concerns_of(status);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].text, "g gave up on 3 messages of s.");
    EXPECT_EQ(found[1].how, urgency::soon);
}

}  // namespace
}  // namespace sluice::operate
