#include "outbox/rate_meter.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace sluice::outbox {
namespace {

using namespace std::chrono_literals;

constexpr auto start = instant{1'000s};

TEST(rate_meter, averages_over_ten_seconds) {
    rate_meter meter;
    EXPECT_EQ(meter.per_second(start), 0);
    for (int second = 0; second < 10; ++second) meter.add(20, start + std::chrono::seconds{second});
    EXPECT_EQ(meter.per_second(start + 9s), 20);
}

TEST(rate_meter, forgets_what_is_older) {
    rate_meter meter;
    meter.add(100, start);
    EXPECT_EQ(meter.per_second(start + 9s), 10);
    EXPECT_EQ(meter.per_second(start + 10s), 0);
    meter.add(50, start + 10s);  // takes the place of the first second
    EXPECT_EQ(meter.per_second(start + 10s), 5);
}

}  // namespace
}  // namespace sluice::outbox
