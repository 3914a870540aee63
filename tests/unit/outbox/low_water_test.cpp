#include "outbox/low_water.hpp"

#include <gtest/gtest.h>

namespace sluice::outbox {
namespace {

TEST(low_water_mark, is_the_cursor_when_nothing_is_open) {
    EXPECT_EQ(low_water_mark(7, {std::nullopt, std::nullopt}), 7);
    EXPECT_EQ(low_water_mark(0, {}), 0);
}

TEST(low_water_mark, stays_below_the_lowest_open_row) {
    EXPECT_EQ(low_water_mark(7, {5, std::nullopt, 3}), 2);
    EXPECT_EQ(low_water_mark(7, {1}), 0);
}

TEST(low_water_mark, does_not_run_ahead_of_the_cursor) { EXPECT_EQ(low_water_mark(7, {20}), 7); }

}  // namespace
}  // namespace sluice::outbox
