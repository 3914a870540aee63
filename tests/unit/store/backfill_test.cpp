#include "store/backfill.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace sluice::store {
namespace {

using namespace std::chrono_literals;

const date_time start = date_time::parse("2026-12-01T08:00:00Z");

backfill with_rate(double rate, date_time paced_at = start) { return {.order = {.rate = rate}, .paced_at = paced_at}; }

TEST(backfill, without_a_rate_is_as_fast_as_the_lane) {
    const auto pace = pace_of(with_rate(0), start, 1000);
    EXPECT_EQ(pace.events, 1000U);
    EXPECT_EQ(pace.paced_at(1000), start);
}

TEST(backfill, gives_what_its_rate_has_saved_up_since) {
    const auto pace = pace_of(with_rate(10), start + 500ms, 1000);
    EXPECT_EQ(pace.events, 5U);
    EXPECT_EQ(pace.paced_at(5), start + 500ms);
    EXPECT_EQ(pace.paced_at(2), start + 200ms);
    EXPECT_EQ(pace_of(with_rate(10), start + 500ms, 3).events, 3U);
    EXPECT_EQ(pace_of(with_rate(10), start + 99ms, 1000).events, 0U);
}

TEST(backfill, saves_up_no_more_than_a_second_or_one_event) {
    EXPECT_EQ(pace_of(with_rate(10), start + 1h, 1000).events, 10U);
    const auto slow = pace_of(with_rate(0.1), start + 1h, 1000);
    EXPECT_EQ(slow.events, 1U);
    EXPECT_EQ(slow.paced_at(1), start + 1h);
}

TEST(backfill, does_not_wait_for_a_clock_that_was_far_ahead) {
    EXPECT_EQ(pace_of(with_rate(10, start + 2s), start, 1000).events, 0U);
    EXPECT_EQ(pace_of(with_rate(10, start + 1h), start, 1000).events, 10U);
}

TEST(backfill, takes_the_types_and_the_streams_or_categories_of_its_order) {
    const backfill_order any{.types = {"Shop.OrderShipped.v1"}};
    EXPECT_TRUE(is_ordered(any, "Shop.OrderShipped.v1", "shop::order-1", "shop::order"));
    EXPECT_FALSE(is_ordered(any, "Shop.OrderPlaced.v1", "shop::order-1", "shop::order"));
    const backfill_order some{.types = any.types, .streams = {"shop::order-1", "shop::parcel"}};
    EXPECT_TRUE(is_ordered(some, "Shop.OrderShipped.v1", "shop::order-1", "shop::order"));
    EXPECT_TRUE(is_ordered(some, "Shop.OrderShipped.v1", "shop::parcel-7", "shop::parcel"));
    EXPECT_FALSE(is_ordered(some, "Shop.OrderShipped.v1", "shop::order-12", "shop::order"));
}

TEST(backfill, has_a_word_for_each_state) {
    for (const auto state :
         {backfill_state::running, backfill_state::paused, backfill_state::done, backfill_state::cancelled}) {
        EXPECT_EQ(backfill_state_from(to_string(state)), state);
    }
    EXPECT_THROW(static_cast<void>(backfill_state_from("asleep")), decode_error);
}

}  // namespace
}  // namespace sluice::store
