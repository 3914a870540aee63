#include <atomic>
#include <map>

#include "contract/store_contract.hpp"

namespace sluice::store::contract {
namespace {

using ::testing::HasSubstr;

/// How engines share the lanes of a database.
class store_shares : public store_contract {
protected:
    static constexpr auto first = "default:partner#1/2";
    static constexpr auto second = "default:partner#2/2";

    [[nodiscard]] lease_grant take(const std::string& lane, const std::string& owner, date_time now = at(0)) {
        auto answer = lane_.lease->acquire(lane, owner, now, ttl);
        if (!answer) throw std::logic_error{answer.obstacle()};
        return *answer;
    }
    [[nodiscard]] std::string obstacle(const std::string& lane, const std::string& owner, date_time now) {
        return store_->open_lease()->acquire(lane, owner, now, ttl).obstacle();
    }
    [[nodiscard]] std::string heir(const lease_grant& grant, date_time now = at(1)) {
        return lane_.lease->choose_heir(grant, now, ttl);
    }
    void stand_by(const std::string& lane, const std::string& owner, date_time now = at(0)) {
        store_->open_lease()->stand_by(lane, owner, now, ttl);
    }
    [[nodiscard]] std::map<std::string, std::string> owners() {
        std::map<std::string, std::string> all;
        for (const auto& lane : operations_->lanes()) all[lane.lane] = lane.owner;
        return all;
    }
};
SLUICE_FOR_EVERY_STORE(store_shares);

TEST_P(store_shares, stay_while_nobody_stands_by) {
    const auto mine = take(first, "me");
    static_cast<void>(take(second, "me"));
    EXPECT_EQ(heir(mine), "");
}

TEST_P(store_shares, pass_to_the_heir_and_to_nobody_else) {
    const auto mine = take(first, "me");
    const auto other = take(second, "me");
    stand_by(first, "you");
    stand_by(second, "you");
    EXPECT_EQ(heir(mine), "you");
    EXPECT_EQ(heir(mine), "you") << "once is enough";
    EXPECT_EQ(heir(other), "") << "then both have one";
    EXPECT_THAT(obstacle(first, "you", at(2)), HasSubstr("belongs to me")) << "until it is released";

    lane_.lease->release(mine, report("lost"));
    EXPECT_EQ(heir(other, at(3)), "") << "the heir has not taken it yet, but will";
    EXPECT_EQ(obstacle(first, "they", at(3)), "default:partner#1/2 is handed over to you");
    EXPECT_EQ(obstacle(first, "me", at(3)), "default:partner#1/2 is handed over to you");
    const auto taken = take(first, "you", at(3));
    EXPECT_EQ(taken.epoch, mine.epoch + 1) << "an ordinary acquisition";
    EXPECT_EQ(heir(other, at(4)), "");
    EXPECT_EQ(owners(), (std::map<std::string, std::string>{{first, "you"}, {second, "me"}}));
}

TEST_P(store_shares, pass_to_anybody_when_the_heir_is_gone) {
    const auto mine = take(first, "me");
    static_cast<void>(take(second, "me"));
    stand_by(first, "you");
    ASSERT_EQ(heir(mine), "you");
    lane_.lease->release(mine, report("lost"));
    EXPECT_NE(obstacle(first, "they", at(29)), "");
    EXPECT_EQ(obstacle(first, "they", at(30)), "") << "it has not said for a whole lease that it stands by";
}

TEST_P(store_shares, pass_to_anybody_when_the_heir_has_withdrawn) {
    const auto mine = take(first, "me");
    static_cast<void>(take(second, "me"));
    stand_by(first, "you");
    ASSERT_EQ(heir(mine), "you");
    lane_.lease->release(mine, report("lost"));
    store_->open_lease()->withdraw(first, "you");
    EXPECT_EQ(obstacle(first, "they", at(2)), "");
}

TEST_P(store_shares, are_not_given_to_who_stands_by_no_longer) {
    const auto mine = take(first, "me", at(100));
    static_cast<void>(take(second, "me", at(100)));
    stand_by(first, "you", at(75));
    EXPECT_EQ(heir(mine, at(105)), "") << "it did until now";
    stand_by(first, "you", at(105));
    store_->open_lease()->withdraw(first, "you");
    EXPECT_EQ(heir(mine, at(106)), "");
    stand_by(first, "you", at(107));
    EXPECT_EQ(heir(mine, at(108)), "you");
}

TEST_P(store_shares, are_not_given_to_who_stood_by_before_the_calendar_was_set_back) {
    stand_by(first, "you", at(10'000));
    const auto mine = take(first, "me");
    static_cast<void>(take(second, "me"));
    EXPECT_EQ(heir(mine), "");
}

/// An engine of an earlier build knows nothing of heirs. For one with a much shorter lease this word lasts too long.
TEST_P(store_shares, that_another_has_taken_need_no_heir_any_more) {
    const auto mine = take(first, "me");
    static_cast<void>(take(second, "me"));
    stand_by(first, "you");
    stand_by(second, "you");
    ASSERT_EQ(heir(mine), "you");
    lane_.lease->release(mine, report("lost"));
    const auto theirs = lane_.lease->acquire(first, "they", at(2), 1s);
    ASSERT_TRUE(theirs);
    lane_.lease->release(*theirs, report());
    stand_by(first, "you", at(3));
    EXPECT_EQ(obstacle(first, "me", at(3)), "") << "the choice was that of a former owner";
}

TEST_P(store_shares, are_given_away_after_the_next_renewal_at_the_latest) {
    auto mine = take(first, "me");
    static_cast<void>(take(second, "me"));
    ASSERT_TRUE(lane_.lease->renew(mine, report(), at(1), ttl));
    EXPECT_EQ(heir(mine), "");
    ASSERT_TRUE(lane_.lease->renew(mine, report(), at(2), ttl));
    stand_by(first, "you", at(3));
    static_cast<void>(heir(mine, at(4)));
    ASSERT_TRUE(lane_.lease->renew(mine, report(), at(5), ttl));
    EXPECT_EQ(heir(mine, at(6)), "you");
}

TEST_P(store_shares, are_chosen_by_their_owners_only) {
    auto former = take(first, "me");
    static_cast<void>(take(second, "me"));
    stand_by(first, "you", at(30));
    static_cast<void>(take(first, "they", at(31)));
    EXPECT_EQ(heir(former, at(32)), "");
}

TEST_P(store_shares, are_those_of_lanes_and_of_nothing_else) {
    static_cast<void>(take("sequential/one", "me"));
    static_cast<void>(take("maintenance", "me"));
    const auto mine = take(first, "me");
    stand_by(first, "you");
    EXPECT_EQ(heir(mine), "");
}

TEST_P(store_shares, come_to_the_same_end_when_all_lanes_are_looked_at_at_a_time) {
    constexpr int shards = 8;
    std::vector<lease_grant> mine;
    for (int number = 1; number <= shards; ++number) {
        mine.push_back(take(make_lane_name("default", "partner", {number, shards}), "me"));
        stand_by(mine.back().lane, "you");
        stand_by(mine.back().lane, "they");
    }
    std::vector<std::string> heirs(shards);
    std::atomic<int> ready = 0;
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < mine.size(); ++i) {
            threads.emplace_back([&, i] {
                const auto session = store_->open_lane();
                ++ready;
                while (ready < shards) std::this_thread::yield();
                heirs[i] = session.lease->choose_heir(mine[i], at(1), ttl);
            });
        }
    }
    std::map<std::string, int> share;
    for (const auto& each : heirs) ++share[each.empty() ? "me" : each];
    EXPECT_EQ(share["me"], 3);
    EXPECT_GE(share["you"], 2);
    EXPECT_GE(share["they"], 2);
}

}  // namespace
}  // namespace sluice::store::contract
