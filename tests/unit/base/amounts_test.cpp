#include "base/amounts.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace sluice::base {
namespace {

using namespace std::chrono_literals;

TEST(age_text, shows_the_two_largest_units) {
    EXPECT_EQ(age_text(0s), "0s");
    EXPECT_EQ(age_text(999ms), "0s");
    EXPECT_EQ(age_text(59s), "59s");
    EXPECT_EQ(age_text(3min + 12s), "3m 12s");
    EXPECT_EQ(age_text(2h + 5min + 59s), "2h 5m");
    EXPECT_EQ(age_text(97h), "4d 1h");
    EXPECT_EQ(age_text(-5s), "0s");
}

TEST(count_text, groups_thousands) {
    EXPECT_EQ(count_text(0), "0");
    EXPECT_EQ(count_text(999), "999");
    EXPECT_EQ(count_text(1000), "1,000");
    EXPECT_EQ(count_text(-123456), "-123,456");
    EXPECT_EQ(count_text(1234567), "1,234,567");
}

TEST(count_of, knows_one_from_many) {
    EXPECT_EQ(count_of(1, "row"), "1 row");
    EXPECT_EQ(count_of(0, "row"), "0 rows");
    EXPECT_EQ(count_of(1200, "entry", "entries"), "1,200 entries");
}

}  // namespace
}  // namespace sluice::base
