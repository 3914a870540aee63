#include "store/row_sample.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::store {
namespace {

/// What the sample says of a range in which only the numbers that `is_there` accepts have a row.
template <class IsThere>
std::int64_t estimate(sequence from, sequence upto, IsThere is_there) {
    const auto sample = row_sample::over(from, upto);
    std::int64_t found = 0;
    for (sequence window = sample.first; window <= sample.last; window += sample.step) {
        for (sequence seq = window; seq < window + row_sample::width; ++seq) {
            if (seq <= upto && is_there(seq)) ++found;
        }
    }
    return sample.estimate(found);
}

TEST(row_sample, is_right_when_every_number_has_a_row) {
    EXPECT_NEAR(static_cast<double>(estimate(1, 3'000'000, [](sequence) { return true; })), 3e6, 15'000);
    EXPECT_NEAR(static_cast<double>(estimate(5'000'000'001, 5'000'400'000, [](sequence) { return true; })), 4e5, 2'000);
}

TEST(row_sample, is_near_when_rows_are_rare_or_in_one_place) {
    const auto each_third = [](sequence seq) { return seq % 3 == 0; };
    EXPECT_NEAR(static_cast<double>(estimate(1, 1'000'000, each_third)), 333'333, 20'000);
    const auto at_the_end = [](sequence seq) { return seq > 700'000; };
    EXPECT_NEAR(static_cast<double>(estimate(1, 1'000'000, at_the_end)), 300'000, 5'000);
}

TEST(row_sample, reads_the_same_number_of_rows_at_any_length) {
    for (const sequence upto : {100'001, 5'000'000, 2'000'000'000}) {
        const auto sample = row_sample::over(1, upto);
        EXPECT_LE((sample.last - sample.first) / sample.step, row_sample::windows);
    }
}

TEST(pending_ranges, are_one_range_where_all_of_it_can_be_counted) {
    EXPECT_TRUE(pending_ranges(7, 3, 7).empty());
    EXPECT_EQ(pending_ranges(7, 90, 100), (std::vector<number_range>{{7, 100}}));
    EXPECT_EQ(pending_ranges(0, 90'000, 100'000), (std::vector<number_range>{{0, 100'000}}));
}

TEST(pending_ranges, are_parted_at_the_end_of_the_ledger_where_there_is_too_much) {
    EXPECT_EQ(pending_ranges(5, 900'000, 900'040), (std::vector<number_range>{{5, 900'000}, {900'000, 900'040}}));
    EXPECT_EQ(pending_ranges(5, 3, 900'000), (std::vector<number_range>{{5, 900'000}})) << "nothing above is listed";
    EXPECT_EQ(pending_ranges(5, 900'000, 900'000), (std::vector<number_range>{{5, 900'000}}));
}

TEST(row_sample, takes_a_short_range_as_a_whole) {
    EXPECT_EQ(estimate(7, 7, [](sequence) { return true; }), 1);
    EXPECT_EQ(estimate(1, 64, [](sequence) { return true; }), 64);
}

}  // namespace
}  // namespace sluice::store
