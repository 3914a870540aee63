#include "broker/kafka/starting_place.hpp"

#include <gtest/gtest.h>

namespace sluice::broker::kafka {
namespace {

using reason = starting_place::reason;

TEST(starting_place, is_where_the_group_was) {
    const auto from = choose_start({.committed = 5, .low = 0, .end = 9});
    EXPECT_EQ(from.offset, 5);
    EXPECT_EQ(from.why, reason::goes_on);
    EXPECT_EQ(choose_start({.committed = 9, .low = 0, .end = 9}).why, reason::goes_on) << "it has read everything";
}

TEST(starting_place, skips_nothing_that_is_there) {
    const auto removed = choose_start({.committed = 5, .low = 7, .end = 9});
    EXPECT_EQ(removed.offset, 7);
    EXPECT_EQ(removed.why, reason::removed);
    const auto shortened = choose_start({.committed = 10, .low = 2, .end = 9});
    EXPECT_EQ(shortened.offset, 2);
    EXPECT_EQ(shortened.why, reason::shortened);
}

TEST(starting_place, of_a_new_group_is_where_it_wants_to_begin) {
    EXPECT_EQ(choose_start({.low = 2, .end = 9, .first_wanted = 2}).offset, 2);
    EXPECT_EQ(choose_start({.low = 2, .end = 9, .first_wanted = 9}).offset, 9);
    EXPECT_EQ(choose_start({.low = 4, .end = 9, .first_wanted = 2}).offset, 4);
    EXPECT_EQ(choose_start({.low = 4, .end = 9}).why, reason::begins);
}

}  // namespace
}  // namespace sluice::broker::kafka
