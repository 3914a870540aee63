#include "outbox/token_bucket.hpp"

#include <gmock/gmock.h>

namespace sluice::outbox {
namespace {

using namespace std::chrono_literals;

constexpr instant start{};

TEST(token_bucket, has_one_second_at_hand_at_first) {
    const token_bucket bucket{100};
    EXPECT_EQ(bucket.available(start), 100U);
    EXPECT_EQ(bucket.available_at(start), start);
}

TEST(token_bucket, fills_at_its_rate_and_not_beyond_one_second) {
    token_bucket bucket{100};
    bucket.take(100, start);
    EXPECT_EQ(bucket.available(start), 0U);
    EXPECT_EQ(bucket.available(start + 100ms), 10U);
    EXPECT_EQ(bucket.available(start + 1h), 100U);
}

TEST(token_bucket, hands_out_portions_and_says_when) {
    token_bucket bucket{100};
    bucket.take(100, start);
    EXPECT_EQ(bucket.available(start + 40ms), 0U) << "four are there, a portion has five";
    EXPECT_EQ(bucket.available_at(start + 40ms), start + 50ms);
    EXPECT_EQ(bucket.available(start + 50ms), 5U);
}

TEST(token_bucket, lets_a_slow_lane_send_single_messages) {
    token_bucket bucket{0.5};
    EXPECT_EQ(bucket.available(start), 1U);
    bucket.take(1, start);
    EXPECT_EQ(bucket.available_at(start), start + 2s);
    EXPECT_EQ(bucket.available(start + 2s), 1U);
}

TEST(token_bucket, makes_up_for_what_was_taken_too_early) {
    token_bucket bucket{10};
    bucket.take(20, start);
    EXPECT_EQ(bucket.available(start + 1s), 0U);
    EXPECT_EQ(bucket.available(start + 1100ms), 1U);
}

TEST(token_bucket, never_sends_more_than_its_rate_and_one_second) {
    token_bucket bucket{1000};
    std::size_t sent = 0;
    instant now = start;
    while (now < start + 10s) {
        const auto some = bucket.available(now);
        bucket.take(some, now);
        sent += some;
        now = bucket.available_at(now);
    }
    EXPECT_LE(sent, 11'000U);
    EXPECT_GE(sent, 10'900U);
}

TEST(token_bucket, is_not_filled_by_a_clock_that_stands) {
    token_bucket bucket{10};
    bucket.take(10, start + 1s);
    EXPECT_EQ(bucket.available(start), 0U);
}

TEST(token_bucket, has_no_limit_at_rate_zero) {
    token_bucket bucket{0};
    bucket.take(1'000'000, start);
    EXPECT_GT(bucket.available(start), 1'000'000U);
    EXPECT_EQ(bucket.available_at(start), start);
}

}  // namespace
}  // namespace sluice::outbox
