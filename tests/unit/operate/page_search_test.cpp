#include "operate/page_search.hpp"

#include <gtest/gtest.h>

namespace sluice::operate {
namespace {

using namespace std::chrono_literals;
using store::number_range;

TEST(page_search, goes_from_the_end_to_the_beginning_without_a_gap) {
    page_search search{100, 10'000, 1'000};
    store::sequence above = 10'000;
    while (const auto range = search.next()) {
        EXPECT_EQ(range->upto, above);
        EXPECT_LT(range->after, range->upto);
        above = range->after;
        search.looked(1ms, 1s);
    }
    EXPECT_EQ(above, 100);
    EXPECT_EQ(search.looked_down_to(), 100);
    EXPECT_TRUE(search.is_through());
}

TEST(page_search, takes_longer_stretches_while_there_is_time_for_them) {
    page_search search{0, 1'000'000'000, 1'000};
    search.looked(1us, 100ms);
    EXPECT_EQ(search.next(), (number_range{1'000'000'000 - 9'000, 1'000'000'000 - 1'000})) << "eight times as long";
    search.looked(10ms, 30ms);
    EXPECT_EQ(search.next()->upto - search.next()->after, 24'000) << "what remains is enough for three of them";
    search.looked(20ms, 5ms);
    EXPECT_EQ(search.next()->upto - search.next()->after, 24'000);
}

TEST(page_search, ends_when_the_time_is_up_and_says_where) {
    page_search search{0, 50'000, 1'000};
    search.looked(120ms, -20ms);
    EXPECT_EQ(search.next(), std::nullopt);
    EXPECT_EQ(search.looked_down_to(), 49'000);
    EXPECT_FALSE(search.is_through());
}

TEST(page_search, has_nothing_to_do_in_an_empty_log_or_behind_its_beginning) {
    for (const store::sequence upto : {0, -1, 5}) {
        EXPECT_EQ((page_search{5, upto, 1'000}.next()), std::nullopt);
        EXPECT_TRUE((page_search{5, upto, 1'000}.is_through()));
    }
}

}  // namespace
}  // namespace sluice::operate
