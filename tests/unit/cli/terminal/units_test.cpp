#include "cli/terminal/units.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "cli/terminal/failure.hpp"

namespace sluice::cli {
namespace {

using namespace std::chrono_literals;

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

}  // namespace
}  // namespace sluice::cli
