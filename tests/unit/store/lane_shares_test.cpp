#include "store/lane_shares.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::store {
namespace {

using owners = std::vector<owned_lane>;
using waiters = std::vector<standing_by>;

TEST(lane_shares, stay_as_they_are_while_nobody_stands_by) {
    EXPECT_EQ(choose_heir("db:a", owners{{"db:a", "me"}, {"db:b", "me"}}, {}), "");
}

TEST(lane_shares, go_to_an_engine_that_has_two_lanes_less) {
    const owners owned{{"db:a#1/2", "me"}, {"db:a#2/2", "me"}};
    EXPECT_EQ(choose_heir("db:a#1/2", owned, waiters{{"db:a#1/2", "you"}}), "you");
    EXPECT_EQ(choose_heir("db:a#2/2", owned, waiters{{"db:a#1/2", "you"}}), "") << "nobody waits for this one";
}

TEST(lane_shares, stay_where_a_move_would_only_change_the_names) {
    EXPECT_EQ(choose_heir("db:a", owners{{"db:a", "me"}}, waiters{{"db:a", "you"}}), "");
    const owners three{{"db:a", "me"}, {"db:b", "me"}, {"db:c", "you"}};
    EXPECT_EQ(choose_heir("db:a", three, waiters{{"db:a", "you"}, {"db:b", "you"}}), "");
}

TEST(lane_shares, count_a_lane_for_its_heir) {
    const owners owned{{"db:a", "me"}, {"db:b", "me"}, {"db:c", "me"}};
    const waiters all{{"db:a", "you", true}, {"db:b", "you"}, {"db:c", "you"}};
    EXPECT_EQ(choose_heir("db:a", owned, all), "you") << "what was chosen stays so";
    EXPECT_EQ(choose_heir("db:b", owned, all), "") << "two and one are even enough";
    const owners released{{"db:b", "me"}, {"db:c", "me"}};
    EXPECT_EQ(choose_heir("db:b", released, all), "") << "also while the heir has not taken it yet";
    EXPECT_EQ(choose_heir("db:a", released, all), "") << "nobody has it to give";
}

TEST(lane_shares, go_to_the_engine_with_fewest_and_then_to_the_first_by_name) {
    const owners owned{{"db:a", "me"}, {"db:b", "me"}, {"db:c", "me"}, {"db:d", "you"}};
    EXPECT_EQ(choose_heir("db:a", owned, waiters{{"db:a", "you"}, {"db:a", "they"}}), "they");
    EXPECT_EQ(choose_heir("db:a", owned, waiters{{"db:a", "z"}, {"db:a", "y"}}), "y");
}

TEST(lane_shares, spread_the_shards_of_each_broker) {
    owners owned{{"db:a#1/2", "me"}, {"db:a#2/2", "me"}, {"db:b#1/2", "me"}, {"db:b#2/2", "me"}};
    waiters waiting;
    for (const auto& each : owned) waiting.push_back({each.lane, "you"});
    EXPECT_EQ(choose_heir("db:b#2/2", owned, waiting), "you");
    waiting.back().is_heir = true;
    EXPECT_EQ(choose_heir("db:b#1/2", owned, waiting), "") << "the other broker's go first";
    EXPECT_EQ(choose_heir("db:a#1/2", owned, waiting), "you");
}

TEST(lane_shares, of_one_broker_are_exchanged_when_one_engine_has_all_of_them) {
    const owners owned{{"db:a#1/3", "me"},  {"db:a#2/3", "me"},  {"db:a#3/3", "me"},
                       {"db:b#1/3", "you"}, {"db:b#2/3", "you"}, {"db:b#3/3", "you"}};
    EXPECT_EQ(choose_heir("db:a#1/3", owned, waiters{{"db:a#1/3", "you"}}), "you");
}

TEST(lane_shares, of_an_engine_that_never_gives_any_away_keep_no_other_from_giving) {
    // The third is of an earlier build: it stands by without a word.
    const owners owned{{"db:a#1/6", "old"}, {"db:a#2/6", "old"}, {"db:a#3/6", "old"},
                       {"db:a#4/6", "me"},  {"db:a#5/6", "me"},  {"db:a#6/6", "me"}};
    EXPECT_EQ(choose_heir("db:a#4/6", owned, waiters{{"db:a#4/6", "you"}, {"db:a#1/6", "you"}}), "you");
}

}  // namespace
}  // namespace sluice::store
