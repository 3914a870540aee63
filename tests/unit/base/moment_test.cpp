#include "base/moment.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace sluice::base {
namespace {

using namespace std::chrono_literals;

constexpr moment now{.steady = instant{1h}, .wall = date_time::from_micros(1'000'000'000)};

TEST(moment, waits_until_a_stored_time_but_never_longer_than_could_be_meant) {
    EXPECT_EQ(now.until(now.wall + 5s, 1min), instant{1h} + 5s);
    EXPECT_EQ(now.until(now.wall + 24h, 1min), instant{1h} + 1min);
    EXPECT_EQ(now.until(now.wall - 24h, 1min), instant{1h}) << "it has come";
    EXPECT_EQ(now.until(now.wall + 24h, -1s), instant{1h});
}

TEST(moment, passes_by_both_clocks) {
    EXPECT_EQ((now + 5s).steady, now.steady + 5s);
    EXPECT_EQ((now + 5s).wall, now.wall + 5s);
}

TEST(machine_clock, only_moves_forward_by_its_monotonic_half) {
    const auto before = moment_of(system_clock());
    const auto after = moment_of(system_clock());
    EXPECT_GE(after.steady, before.steady);
    EXPECT_GT(before.wall, date_time::parse("2025-01-01T00:00:00Z"));
}

}  // namespace
}  // namespace sluice::base
