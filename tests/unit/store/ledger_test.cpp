#include "store/ledger.hpp"

#include <gmock/gmock.h>

#include <chrono>

namespace sluice::store {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr date_time noon{1'700'000'000s};

settlement delivered(sequence seq, std::string receipt = {}, duration before_noon = {}) {
    return {.seq = seq, .published_at = noon - before_noon, .receipt = std::move(receipt)};
}

bool none(sequence /*seq*/) { return false; }

std::vector<sequence> rows_of(const sorted_settlements& sorted) {
    std::vector<sequence> seqs;
    for (const auto* one : sorted.rows) seqs.push_back(one->seq);
    return seqs;
}

TEST(ledger, lists_no_number_where_each_of_the_range_is_in_it) {
    const std::vector batch{delivered(5), delivered(6), delivered(7)};
    const auto sorted = sort_settlements(batch, 4, none);
    ASSERT_TRUE(sorted.record);
    EXPECT_EQ(sorted.record->after, 4);
    EXPECT_EQ(sorted.record->upto, 7);
    EXPECT_EQ(sorted.record->count, 3);
    EXPECT_THAT(sorted.record->seqs, IsEmpty());
    EXPECT_EQ(sorted.record->settled_at, noon);
    EXPECT_THAT(sorted.record->times, IsEmpty());
    EXPECT_FALSE(sorted.record->receipts);
    EXPECT_THAT(sorted.rows, IsEmpty());
}

TEST(ledger, lists_the_numbers_of_a_lane_that_has_not_all) {
    const std::vector batch{delivered(5, "", 3us), delivered(9), delivered(700'000, "", 1us)};
    const auto sorted = sort_settlements(batch, 0, none);
    ASSERT_TRUE(sorted.record);
    EXPECT_THAT(sorted.record->seqs, ElementsAre(1, 5, 699'996));
    EXPECT_THAT(sorted.record->times, ElementsAre(3, 0, 1));
}

TEST(ledger, stores_once_what_receipts_begin_with) {
    const std::vector batch{delivered(1, "1700-1"), delivered(2, "1700-2"), delivered(3, "17")};
    const auto sorted = sort_settlements(batch, 0, none);
    ASSERT_TRUE(sorted.record);
    EXPECT_EQ(sorted.record->receipt_head, "17");
    EXPECT_EQ(sorted.record->receipts,
              "00-1\x1f"
              "00-2\x1f");
}

TEST(ledger, spans_no_more_time_than_a_record_can_hold_whichever_way_the_clock_was_set) {
    const std::vector batch{delivered(1), delivered(2, "", 29min), delivered(3, "", -29min), delivered(4, "", 1min)};
    const auto sorted = sort_settlements(batch, 0, none);
    EXPECT_THAT(sorted.record->times, ElementsAre(0, 1'740'000'000, 60'000'000));
    EXPECT_THAT(rows_of(sorted), ElementsAre(3));
    const auto all = settlements_in(*sorted.record);
    const auto rest = sort_settlements(std::span{all}.subspan(1), 1, none);
    EXPECT_THAT(rest.rows, IsEmpty()) << "a part of a record fits into one";
}

TEST(ledger, gives_a_row_to_whatever_took_another_course) {
    auto refused = delivered(2);
    refused.status = row_status::failed;
    auto second_attempt = delivered(4);
    second_attempt.retry_count = 1;
    const std::vector batch{delivered(1),
                            refused,
                            delivered(3),
                            second_attempt,
                            delivered(5, "\x1f"),
                            delivered(6),
                            delivered(7, {}, 31min),
                            delivered(5'000'000'000)};
    const auto sorted = sort_settlements(batch, 1, [](sequence seq) { return seq == 6; });
    ASSERT_TRUE(sorted.record);
    EXPECT_EQ(sorted.record->count, 1);
    EXPECT_EQ(sorted.record->upto, 3);
    EXPECT_THAT(rows_of(sorted), ElementsAre(1, 2, 4, 5, 6, 7, 5'000'000'000));
}

TEST(ledger, has_no_place_for_what_comes_below_its_end_or_out_of_order) {
    const std::vector batch{delivered(8), delivered(12), delivered(11)};
    const auto sorted = sort_settlements(batch, 8, none);
    ASSERT_TRUE(sorted.record);
    EXPECT_EQ(sorted.record->upto, 12);
    EXPECT_THAT(rows_of(sorted), ElementsAre(8, 11));
    EXPECT_FALSE(sort_settlements(batch, 12, none).record);
}

TEST(ledger, gives_back_what_it_was_given) {
    const std::vector batch{delivered(3, "7-1", 2us), delivered(4), delivered(9, "7-3")};
    const auto record = sort_settlements(batch, 0, none).record;
    ASSERT_TRUE(record);
    const auto back = settlements_in(*record);
    ASSERT_EQ(back.size(), batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
        EXPECT_EQ(back[i].seq, batch[i].seq);
        EXPECT_EQ(back[i].published_at, batch[i].published_at);
        EXPECT_EQ(back[i].receipt, batch[i].receipt);
    }
}

TEST(ledger, makes_one_record_of_many_small_ones) {
    std::vector<ledger_record> small;
    for (const sequence seq : {4, 5, 9}) {
        small.push_back(*sort_settlements(std::vector{delivered(seq, "r" + std::to_string(seq))}, 0, none).record);
    }
    const auto merged = merge_records(small);
    ASSERT_TRUE(merged);
    EXPECT_EQ(merged->after, 3);
    EXPECT_EQ(merged->upto, 9);
    EXPECT_EQ(merged->count, 3);
    EXPECT_THAT(merged->seqs, ElementsAre(1, 2, 6));
    EXPECT_EQ(merged->receipt_head, "r");
    small.push_back(*sort_settlements(std::vector{delivered(10, {}, 31min)}, 0, none).record);
    EXPECT_FALSE(merge_records(small)) << "their times are too far apart";
    EXPECT_FALSE(merge_records({}));
}

TEST(ledger, merges_as_many_neighbours_as_fit) {
    EXPECT_THAT(merge_groups({}), IsEmpty());
    const std::vector<record_extent> records{{600, noon},      {400, noon},       {1, noon},
                                             {1, noon + 9min}, {1, noon + 11min}, {5000, noon + 11min},
                                             {1, noon + 11min}};
    EXPECT_THAT(merge_groups(records), ElementsAre(2, 2, 1, 1, 1));
}

TEST(ledger, has_a_part_for_each_lane_of_each_layout) {
    EXPECT_EQ(ledger_part({}), 101);
    EXPECT_EQ(ledger_part({.number = 2, .count = 3}), 302);
    EXPECT_EQ(ledger_part({.number = most_shards, .count = most_shards}), 6464);
}

}  // namespace
}  // namespace sluice::store
