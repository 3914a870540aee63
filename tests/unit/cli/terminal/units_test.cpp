#include "cli/terminal/units.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "cli/terminal/failure.hpp"

namespace sluice::cli {
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

TEST(parse_age, reads_one_or_more_units) {
    EXPECT_EQ(parse_age("90s"), 90s);
    EXPECT_EQ(parse_age("10m"), 10min);
    EXPECT_EQ(parse_age("1h30m"), 90min);
    EXPECT_EQ(parse_age("7d"), 168h);
    EXPECT_EQ(parse_age("500ms"), 500ms);
    EXPECT_EQ(parse_age("0s"), 0s);
}

TEST(parse_age, refuses_everything_else) {
    for (const char* text :
         {"", "10", "m", "10 m", "-5m", "10x", "1h30", "1.5h", "99999999999999d", "99999999999999999999s"}) {
        EXPECT_THROW(static_cast<void>(parse_age(text)), failure) << text;
    }
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
}  // namespace sluice::cli
