#include "outbox/retry_schedule.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <limits>

namespace sluice::outbox {
namespace {

using namespace std::chrono_literals;

config::retry_settings steady() { return {.max_attempts = 1000, .jitter = false}; }

std::optional<duration> delay(const config::retry_settings& settings, int refusals, std::uint64_t seed = 1) {
    base::seeded_random random{seed};
    return retry_schedule{settings}.delay_after(refusals, random);
}

TEST(retry_schedule, grows_from_the_base_by_the_multiplier_up_to_the_cap) {
    auto settings = steady();
    EXPECT_EQ(delay(settings, 1), 60s);
    EXPECT_EQ(delay(settings, 2), 120s);
    EXPECT_EQ(delay(settings, 3), 240s);
    EXPECT_EQ(delay(settings, 6), 1920s);
    EXPECT_EQ(delay(settings, 7), 3600s);
    EXPECT_EQ(delay(settings, 900), 3600s);
}

TEST(retry_schedule, honours_every_key) {
    auto settings = steady();
    settings.base_delay_seconds = 0.5;
    settings.backoff_multiplier = 10;
    settings.max_backoff_seconds = 7;
    EXPECT_EQ(delay(settings, 1), 500ms);
    EXPECT_EQ(delay(settings, 2), 5s);
    EXPECT_EQ(delay(settings, 3), 7s);
}

TEST(retry_schedule, of_a_closed_stream_doubles_the_wait_until_it_was_long_enough) {
    auto settings = steady();
    settings.max_attempts = 1;
    settings.closed_stream_hours = 2;
    base::seeded_random random{1};
    const retry_schedule schedule{settings};
    EXPECT_EQ(schedule.delay_while_closed(0s, random), 60s);
    EXPECT_EQ(schedule.delay_while_closed(-1h, random), 60s) << "the calendar was set back";
    EXPECT_EQ(schedule.delay_while_closed(60s, random), 60s);
    EXPECT_EQ(schedule.delay_while_closed(120s, random), 120s);
    EXPECT_EQ(schedule.delay_while_closed(119min, random), 3600s);
    EXPECT_FALSE(schedule.delay_while_closed(120min, random));
    EXPECT_EQ(schedule.longest_delay(), 3600s);
}

TEST(retry_schedule, ends_with_the_budget) {
    auto settings = steady();
    settings.max_attempts = 5;
    EXPECT_TRUE(delay(settings, 4));
    EXPECT_FALSE(delay(settings, 5));
    EXPECT_FALSE(delay(settings, 6));
    settings.max_attempts = 1;
    EXPECT_FALSE(delay(settings, 1));
    settings.max_attempts = 0;
    EXPECT_FALSE(delay(settings, 1));
}

TEST(retry_schedule, spreads_by_the_jitter_factor_on_both_sides) {
    config::retry_settings settings{.max_attempts = 10};
    auto least = duration::max();
    auto most = duration::min();
    for (std::uint64_t seed = 0; seed < 2000; ++seed) {
        const auto pause = *delay(settings, 1, seed);
        least = std::min(least, pause);
        most = std::max(most, pause);
    }
    EXPECT_GE(least, 45s);
    EXPECT_LT(least, 46s);
    EXPECT_LE(most, 75s);
    EXPECT_GT(most, 74s);
}

TEST(retry_schedule, is_repeatable_with_a_seed) {
    const config::retry_settings settings{.max_attempts = 10};
    EXPECT_EQ(delay(settings, 2, 42), delay(settings, 2, 42));
    EXPECT_NE(delay(settings, 2, 42), delay(settings, 2, 43));
}

TEST(retry_schedule, survives_numbers_at_the_edge) {
    auto settings = steady();
    settings.max_attempts = std::numeric_limits<int>::max();
    EXPECT_EQ(delay(settings, std::numeric_limits<int>::max() - 1), 3600s);
    settings.base_delay_seconds = 0;  // 0 times infinity
    EXPECT_EQ(delay(settings, 100'000), 3600s);
    settings.base_delay_seconds = 1e300;
    settings.max_backoff_seconds = 1e300;
    EXPECT_GT(*delay(settings, 3), 24h * 365);
    settings.base_delay_seconds = 0;
    EXPECT_EQ(delay(settings, 1), 0s);
}

}  // namespace
}  // namespace sluice::outbox
