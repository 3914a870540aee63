#include "broker/redis/pace.hpp"

#include <gtest/gtest.h>

namespace sluice::broker::redis {
namespace {

using namespace std::chrono_literals;

TEST(redis_pace, follows_the_link) {
    pace steps{{.least = 10, .first = 100, .most = 350}};
    EXPECT_EQ(steps.bytes(), 100U);
    steps.moved(90, 1ms, 1s);
    EXPECT_EQ(steps.bytes(), 200U);
    steps.moved(20, 1ms, 1s);
    EXPECT_EQ(steps.bytes(), 200U) << "a small step tells nothing";
    steps.moved(200, 1ms, 1s);
    EXPECT_EQ(steps.bytes(), 350U);
    steps.moved(350, 500ms, 1s);
    EXPECT_EQ(steps.bytes(), 350U) << "just right";
    steps.moved(350, 2s, 1s);
    EXPECT_EQ(steps.bytes(), 175U);
    for (int i = 0; i < 9; ++i) steps.failed();
    EXPECT_EQ(steps.bytes(), 10U);
}

TEST(redis_pace, of_reading_counts_in_bytes) {
    reading_pace reading;
    EXPECT_EQ(reading.count(5), 5U);
    EXPECT_EQ(reading.count(1000), 8U) << "nothing is known yet";
    reading.got(32, 32 * 500, 500ms);
    EXPECT_EQ(reading.count(1000), 1000U) << "small ones";
    reading.got(10, 10 * 300'000, 500ms);
    EXPECT_EQ(reading.count(1000), 3U);
    reading.got(1, 10'000'000, 5s);
    EXPECT_EQ(reading.count(1000), 1U) << "one at least";
    reading.got(0, 0, 0ms);
    EXPECT_EQ(reading.count(1000), 1U);
    EXPECT_FALSE(reading.may_go_on(0)) << "that was slow";
    reading.got(1, 1'000, 1ms);
    EXPECT_TRUE(reading.may_go_on(1'000'000));
    EXPECT_FALSE(reading.may_go_on(4'194'304)) << "enough in hand";
}

TEST(redis_pace, of_reading_is_careful_after_an_answer_that_did_not_end) {
    reading_pace reading;
    reading.got(100, 100, 1ms);
    EXPECT_EQ(reading.count(1000), 1000U);
    reading.failed();
    EXPECT_EQ(reading.count(1000), 1U);
}

}  // namespace
}  // namespace sluice::broker::redis
