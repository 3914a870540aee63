#include "operate/shown_lately.hpp"

#include <gtest/gtest.h>

namespace sluice::operate {
namespace {

using news = shown_lately::news;

TEST(shown_lately, tells_what_is_new_and_what_has_changed) {
    shown_lately lately{10};
    EXPECT_EQ(lately.see(1, "default", "pending"), news::unknown);
    EXPECT_EQ(lately.see(1, "partner", "pending"), news::unknown);
    EXPECT_EQ(lately.see(1, "default", "pending"), news::same);
    EXPECT_EQ(lately.see(1, "default", "published"), news::changed);
    EXPECT_EQ(lately.see(1, "default", "published"), news::same);
    EXPECT_EQ(lately.see(1, "partner", "pending"), news::same);
}

TEST(shown_lately, forgets_the_lowest_numbers) {
    shown_lately lately{2};
    for (const store::sequence number : {5, 3, 4}) EXPECT_EQ(lately.see(number, "", "a"), news::unknown);
    EXPECT_EQ(lately.see(5, "", "a"), news::same);
    EXPECT_EQ(lately.see(4, "", "a"), news::same);
    EXPECT_EQ(lately.see(3, "", "a"), news::unknown);
}

}  // namespace
}  // namespace sluice::operate
