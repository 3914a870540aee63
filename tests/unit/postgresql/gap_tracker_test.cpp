#include "store/postgresql/gap_tracker.hpp"

#include <gmock/gmock.h>

namespace sluice::store::postgresql {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using range = gap_tracker::range;
using std::chrono::milliseconds;

constexpr gap_tracker::time_point start{};

class gap_tracker_test : public ::testing::Test {
protected:
    void scan(sequence upto, std::vector<range> missing, milliseconds at = milliseconds{0}) {
        tracker_.scanned(upto, missing, start + at);
    }

    /// All of them are at work.
    void writers(const std::vector<std::string>& names, gap_tracker::time_point at) {
        std::vector<gap_tracker::writer> holding;
        for (const auto& name : names) holding.push_back({.name = name});
        tracker_.writers(holding, tracker_.high(), at);
    }

    gap_tracker tracker_{10};
};

TEST_F(gap_tracker_test, begins_at_the_mark_with_nothing_missing) {
    EXPECT_EQ(tracker_.high(), 10);
    EXPECT_TRUE(tracker_.empty());
    EXPECT_FALSE(tracker_.horizon());
    EXPECT_FALSE(tracker_.wants_bound());
}

TEST_F(gap_tracker_test, holds_the_horizon_at_the_lowest_missing_number) {
    scan(20, {{12, 12}, {15, 17}});
    EXPECT_EQ(tracker_.high(), 20);
    EXPECT_EQ(tracker_.horizon(), 12);
    tracker_.appeared(12);
    EXPECT_EQ(tracker_.horizon(), 15);
    tracker_.appeared(16);
    EXPECT_THAT(tracker_.gaps(), ElementsAre(range{15, 15}, range{17, 17}));
    tracker_.appeared(15);
    tracker_.appeared(17);
    EXPECT_FALSE(tracker_.horizon());
}

TEST_F(gap_tracker_test, is_not_to_be_passed_while_a_gap_is_young) {
    const std::optional<duration> wait = milliseconds{50};
    const auto at = [](int ms) { return start + milliseconds{ms}; };
    EXPECT_FALSE(tracker_.barrier(wait, at(0)));
    scan(20, {{12, 12}, {15, 15}});
    scan(30, {{25, 25}}, milliseconds{30});
    EXPECT_EQ(tracker_.barrier(wait, at(49)), 12);
    tracker_.appeared(12);
    EXPECT_EQ(tracker_.barrier(wait, at(49)), 15);
    EXPECT_EQ(tracker_.barrier(wait, at(50)), 25) << "15 has been waited for";
    EXPECT_FALSE(tracker_.barrier(wait, at(80)));
    EXPECT_EQ(tracker_.barrier(std::nullopt, at(80)), 15) << "without a bound";
    EXPECT_FALSE(tracker_.barrier(duration{0}, at(30))) << "without a wait";
}

TEST_F(gap_tracker_test, is_not_disturbed_by_a_number_that_was_not_missing) {
    scan(20, {{15, 17}});
    for (const sequence number : {1, 14, 18, 99}) tracker_.appeared(number);
    EXPECT_THAT(tracker_.gaps(), ElementsAre(range{15, 17}));
}

TEST_F(gap_tracker_test, gives_a_gap_up_when_no_transaction_that_can_fill_it_runs) {
    scan(20, {{12, 12}});
    EXPECT_TRUE(tracker_.wants_bound());
    tracker_.all_ended_below(1'000'000);
    EXPECT_EQ(tracker_.horizon(), 12) << "without a bound nobody knows which transactions those are";
    tracker_.bound(700);
    EXPECT_FALSE(tracker_.wants_bound());
    tracker_.all_ended_below(699);
    EXPECT_EQ(tracker_.horizon(), 12) << "699 still runs";
    tracker_.all_ended_below(700);
    EXPECT_TRUE(tracker_.empty());
}

TEST_F(gap_tracker_test, keeps_the_bounds_of_each_gap_apart) {
    scan(20, {{12, 14}});
    tracker_.bound(700);
    tracker_.appeared(13);
    scan(30, {{25, 25}});
    EXPECT_TRUE(tracker_.wants_bound());
    tracker_.bound(800);
    tracker_.all_ended_below(750);
    EXPECT_THAT(tracker_.gaps(), ElementsAre(range{25, 25}));
}

TEST_F(gap_tracker_test, asks_for_writers_only_about_gaps_that_last) {
    EXPECT_FALSE(tracker_.wants_writers(start + milliseconds{500}));
    scan(20, {{12, 12}}, milliseconds{1000});
    EXPECT_FALSE(tracker_.wants_writers(start + milliseconds{1099}));
    EXPECT_TRUE(tracker_.wants_writers(start + milliseconds{1100}));
    writers({"3/1"}, start + milliseconds{1100});
    EXPECT_FALSE(tracker_.wants_writers(start + milliseconds{1199}));
    EXPECT_TRUE(tracker_.wants_writers(start + milliseconds{1200}));
}

TEST_F(gap_tracker_test, gives_a_gap_up_when_all_who_wrote_then_have_ended) {
    scan(20, {{12, 12}});
    writers({"3/1", "4/7"}, start);
    writers({"4/7", "5/2"}, start);
    EXPECT_EQ(tracker_.horizon(), 12) << "4/7 may be the one";
    scan(30, {{25, 25}});
    writers({"5/2"}, start);
    EXPECT_EQ(tracker_.horizon(), 25) << "25 was noticed later: 5/2 may fill it";
    writers({"5/2"}, start);
    writers({"6/1"}, start);
    EXPECT_THAT(tracker_.gaps(), IsEmpty());
}

TEST_F(gap_tracker_test, gives_a_gap_up_at_once_when_nobody_writes) {
    scan(20, {{12, 12}});
    writers({}, start);
    EXPECT_TRUE(tracker_.empty());
}

TEST_F(gap_tracker_test, does_not_wait_for_a_forgotten_transaction_with_what_was_drawn_since_it_did_something) {
    scan(20, {{12, 12}});
    tracker_.writers({{"3/1", "08:00"}, {"4/7"}}, 21, start);
    EXPECT_EQ(tracker_.horizon(), 12) << "it may be that of either";
    scan(30, {{25, 25}}, milliseconds{200});
    tracker_.writers({{"3/1", "08:00"}}, 31, start + milliseconds{300});
    tracker_.writers({{"3/1", "08:00"}}, 31, start + milliseconds{400});
    EXPECT_THAT(tracker_.gaps(), ElementsAre(range{12, 12})) << "25 was drawn while 3/1 slept";
    scan(40, {{35, 35}}, milliseconds{500});
    tracker_.writers({{"3/1", "08:05"}}, 41, start + milliseconds{600});
    EXPECT_THAT(tracker_.gaps(), ElementsAre(range{12, 12}, range{35, 35})) << "it has worked in between";
    writers({}, start + milliseconds{700});
    EXPECT_TRUE(tracker_.empty());
}

TEST_F(gap_tracker_test, does_not_take_one_who_is_at_work_for_a_sleeper) {
    tracker_.writers({{"3/1", "08:00"}}, 10, start);
    scan(20, {{12, 12}});
    writers({"3/1"}, start + milliseconds{100});
    EXPECT_EQ(tracker_.horizon(), 12);
    tracker_.writers({{"3/1", "08:01"}}, 20, start + milliseconds{200});
    EXPECT_EQ(tracker_.horizon(), 12) << "it worked when the number was drawn";
}

TEST_F(gap_tracker_test, knows_a_wide_gap_as_one_and_says_when_there_are_too_many) {
    scan(1'000'000'000, {{11, 999'999'999}});
    EXPECT_EQ(tracker_.gaps().size(), 1U);
    EXPECT_FALSE(tracker_.full());
    std::vector<range> many;
    for (sequence i = 1; i < static_cast<sequence>(gap_tracker::most_gaps); ++i) {
        many.push_back({1'000'000'000 + 2 * i, 1'000'000'000 + 2 * i});
    }
    scan(2'000'000'000, many);
    EXPECT_TRUE(tracker_.full());
}

}  // namespace
}  // namespace sluice::store::postgresql
