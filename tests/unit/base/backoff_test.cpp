#include "base/backoff.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace {

using namespace std::chrono_literals;
using sluice::duration;
using sluice::base::backoff;
using sluice::base::from_seconds;

TEST(backoff, grows_by_its_factor_up_to_the_cap) {
    const backoff b{.first = 1s, .factor = 3, .most = 20s};
    EXPECT_EQ(b.delay(1), duration{1s});
    EXPECT_EQ(b.delay(2), duration{3s});
    EXPECT_EQ(b.delay(3), duration{9s});
    EXPECT_EQ(b.delay(4), duration{20s});
}

TEST(backoff, survives_any_number) {
    const backoff b{.first = 1s, .factor = 2, .most = 30s};
    EXPECT_EQ(b.delay(0), duration{1s});
    EXPECT_EQ(b.delay(-5), duration{1s});
    EXPECT_EQ(b.delay(std::numeric_limits<int>::max()), duration{30s});
    const backoff none{.first = 0s, .factor = 2, .most = 30s};
    EXPECT_EQ(none.delay(1), duration{0s});
    const backoff capped{.first = 1min, .factor = 2, .most = 30s};
    EXPECT_EQ(capped.delay(1), duration{30s});
}

TEST(from_seconds, takes_fractions_and_bounds_the_rest) {
    EXPECT_EQ(from_seconds(0.25), duration{250ms});
    EXPECT_EQ(from_seconds(-1), duration{0s});
    EXPECT_EQ(from_seconds(std::numeric_limits<double>::quiet_NaN()), duration{0s});
    EXPECT_EQ(from_seconds(1e300), from_seconds(1e200));
    EXPECT_GT(from_seconds(1e300), duration{24h * 365});
}

}  // namespace
