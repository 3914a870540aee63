#include "outbox/lane_state.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace sluice::outbox {
namespace {

using namespace std::chrono_literals;

constexpr base::moment start{.steady = instant{1'000s}, .wall = date_time::from_micros(1'000'000'000)};

TEST(state_clock, remembers_since_when) {
    state_clock state;
    state.enter(lane_state::idle, start);
    state.enter(lane_state::idle, start + 5s);
    EXPECT_EQ(state.current(), lane_state::idle);
    EXPECT_EQ(state.since(), start.wall);
}

TEST(state_clock, tells_of_pauses_and_drains_at_once) {
    state_clock state;
    state.enter(lane_state::idle, start);
    state.told();
    state.enter(lane_state::paused, start + 1s);
    EXPECT_EQ(state.tell_at(), start.steady + 1s);
    state.told();
    EXPECT_FALSE(state.tell_at());
    state.enter(lane_state::flowing, start + 2s);
    EXPECT_EQ(state.tell_at(), start.steady + 2s) << "the end of a pause is news, too";
    state.told();
    state.enter(lane_state::draining, start + 3s);
    EXPECT_EQ(state.tell_at(), start.steady + 3s);
}

TEST(state_clock, does_not_tell_of_what_passes_quickly) {
    state_clock state;
    state.enter(lane_state::idle, start);
    state.told();
    state.enter(lane_state::flowing, start + 1s);
    ASSERT_TRUE(state.tell_at());
    EXPECT_GT(*state.tell_at(), start.steady + 1s);
    state.enter(lane_state::idle, start + 1s + 1ms);
    EXPECT_FALSE(state.tell_at()) << "the lease row says idle already";
}

TEST(lane_state, has_the_words_of_the_design) {
    EXPECT_STREQ(to_string(lane_state::flowing), "flowing");
    EXPECT_STREQ(to_string(lane_state::idle), "idle");
    EXPECT_STREQ(to_string(lane_state::paused), "paused");
    EXPECT_STREQ(to_string(lane_state::blocked), "blocked");
    EXPECT_STREQ(to_string(lane_state::draining), "draining");
    EXPECT_STREQ(to_string(lane_state::lost), "lost");
}

}  // namespace
}  // namespace sluice::outbox
