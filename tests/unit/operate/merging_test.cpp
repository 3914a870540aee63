#include "operate/merging.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sluice::operate {
namespace {

struct dated {
    std::string from;
    int at = 0;

    friend bool operator==(const dated&, const dated&) = default;
};

std::vector<dated> merged(time_order order, std::size_t limit) {
    std::vector<dated> all{{"a", 1}, {"a", 3}, {"b", 2}, {"b", 3}};
    merge_by_time(all, order, limit, [](const dated& each) { return each.at; });
    return all;
}

TEST(merge_by_time, keeps_the_order_of_places_where_times_are_the_same) {
    EXPECT_EQ(merged(time_order::newest_first, 10), (std::vector<dated>{{"a", 3}, {"b", 3}, {"b", 2}, {"a", 1}}));
    EXPECT_EQ(merged(time_order::oldest_first, 10), (std::vector<dated>{{"a", 1}, {"b", 2}, {"a", 3}, {"b", 3}}));
}

TEST(merge_by_time, drops_what_comes_after_the_limit) {
    EXPECT_EQ(merged(time_order::newest_first, 3), (std::vector<dated>{{"a", 3}, {"b", 3}, {"b", 2}}));
    EXPECT_TRUE(merged(time_order::oldest_first, 0).empty());
}

}  // namespace
}  // namespace sluice::operate
