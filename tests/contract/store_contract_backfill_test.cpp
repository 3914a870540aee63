#include "contract/store_contract.hpp"

#include <numeric>

// Backfills: events of before, given to a lane in the order of the log and before what is newer.
namespace sluice::store::contract {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::size_t page = 10;

class store_backfill : public store_contract {
protected:
    store_backfill() : backfills_{store_->open_backfills()} {}

    /// Events m-1 to m-`count` of before the partner was there, of orders o-1 and o-2 by turns.
    void commit_history(int count) {
        for (int i = 1; i <= count; ++i) {
            commit({event("m-" + std::to_string(i), i % 2 == 1 ? "o-1" : "o-2", {"default"})});
        }
    }
    backfill order(sequence after = 0, double rate = 0) {
        return backfills_->begin({.broker = "partner", .after = after, .types = {"Shop.OrderShipped.v1"}, .rate = rate},
                                 at(0));
    }
    [[nodiscard]] backfill newest() { return backfills_->list("", 1).at(0); }
    /// What the lane does without a broker: reads, settles, and asks for more, until there is nothing left.
    std::vector<sequence> deliver(lease_grant& grant, std::size_t most = page) {
        std::vector<sequence> sent;
        sequence cursor = 0;
        for (;;) {
            const auto batch = lane_.rows->due(grant, "partner", cursor, page);
            if (!batch.owned) throw std::logic_error{"the lane is lost"};
            if (std::exchange(grant.rescan, batch.rescan) != batch.rescan) {
                cursor = batch.mark;
                continue;
            }
            std::vector<settlement> settled;
            for (const auto seq : seqs(batch)) {
                settled.push_back(published(seq));
                sent.push_back(seq);
                cursor = seq;
            }
            if (lane_.rows->settle(grant, "partner", settled, cursor) != settle_outcome::settled) {
                throw std::logic_error{"not settled"};
            }
            if (!settled.empty()) continue;
            if (!batch.backfill || !lane_.rows->give_backfill(grant, "partner", at(0), most).moved) return sent;
        }
    }

    std::unique_ptr<backfill_session> backfills_;
};
SLUICE_FOR_EVERY_STORE(store_backfill);

TEST_P(store_backfill, gives_a_new_broker_what_was_there_before_and_then_what_is_newer) {
    commit_history(25);
    auto grant = take_lane();
    EXPECT_THAT(deliver(grant), IsEmpty());
    const auto begun = order();
    EXPECT_EQ(begun.upto, 25);
    EXPECT_EQ(begun.state, backfill_state::running);
    commit({event("m-26"), event("m-27", "o-2")});
    std::vector<sequence> all(27);
    std::iota(all.begin(), all.end(), 1);
    EXPECT_EQ(deliver(grant), all);
    const auto done = newest();
    EXPECT_EQ(done.state, backfill_state::done);
    EXPECT_EQ(done.given, 25);
    EXPECT_EQ(done.position, 25);
    EXPECT_TRUE(done.ended_at);
    EXPECT_EQ(row("m-7").status, row_status::published);
    EXPECT_EQ(row("m-26").status, row_status::published);
    EXPECT_THAT(deliver(grant), IsEmpty()) << "each once";
}

TEST_P(store_backfill, hands_out_nothing_that_is_newer_before_its_end) {
    commit_history(6);
    const auto grant = take_lane();
    order();
    commit({event("m-7")});
    const auto before = lane_.rows->due(grant, "partner", 0, page);
    EXPECT_THAT(seqs(before), IsEmpty());
    EXPECT_EQ(before.backfill, (backfill_place{.position = 0, .upto = 6}));
    EXPECT_FALSE(before.more);
    ASSERT_TRUE(lane_.rows->give_backfill(grant, "partner", at(0), 4).moved);
    const auto first = lane_.rows->due(grant, "partner", 0, page);
    EXPECT_THAT(seqs(first), ElementsAre(1, 2, 3, 4));
    EXPECT_EQ(first.backfill, (backfill_place{.position = 4, .upto = 6}));
    ASSERT_TRUE(lane_.rows->give_backfill(grant, "partner", at(0), 4).moved);
    const auto last = lane_.rows->due(grant, "partner", 4, page);
    EXPECT_THAT(seqs(last), ElementsAre(5, 6, 7));
    EXPECT_FALSE(last.backfill);
}

TEST_P(store_backfill, sends_nothing_a_second_time) {
    commit({event("m-1"), event("m-2", "o-1", {"default"}), event("m-3")});
    auto grant = take_lane();
    ASSERT_THAT(deliver(grant), ElementsAre(1, 3));
    EXPECT_THAT(backfills_->count({.broker = "partner", .types = {"Shop.OrderShipped.v1"}}),
                AllOf(Field(&backfill_count::events, 1), Field(&backfill_count::known, 2)));
    order();
    EXPECT_THAT(deliver(grant), ElementsAre(2));
    EXPECT_EQ(newest().given, 1);
}

TEST_P(store_backfill, is_about_the_types_and_streams_of_its_order) {
    auto other = event("m-3", "o-1", {"default"});
    other.event.type = "Shop.OrderPlaced.v1";
    commit({event("m-1", "o-1", {"default"}), event("m-2", "o-2", {"default"}), other});
    auto grant = take_lane();
    const auto count = [&](std::vector<std::string> types, std::vector<std::string> streams) {
        return backfills_->count({.broker = "partner", .types = std::move(types), .streams = std::move(streams)})
            .events;
    };
    EXPECT_EQ(count({"Shop.OrderShipped.v1"}, {}), 2);
    EXPECT_EQ(count({"Shop.OrderShipped.v1", "Shop.OrderPlaced.v1"}, {}), 3);
    EXPECT_EQ(count({"Shop.OrderShipped.v1", "Shop.OrderPlaced.v1"}, {"shop::order"}), 3);
    EXPECT_EQ(count({"Shop.OrderShipped.v1", "Shop.OrderPlaced.v1"}, {"shop::order-o-1"}), 2);
    EXPECT_EQ(count({"Shop.OrderShipped.v2"}, {}), 0);
    static_cast<void>(backfills_->begin(
        {.broker = "partner", .types = {"Shop.OrderShipped.v1", "Shop.OrderPlaced.v1"}, .streams = {"shop::order-o-1"}},
        at(0)));
    EXPECT_THAT(deliver(grant), ElementsAre(1, 3));
    EXPECT_THAT(newest().order.streams, ElementsAre("shop::order-o-1"));
}

TEST_P(store_backfill, begins_where_it_is_told) {
    commit_history(5);
    auto grant = take_lane();
    order(3);
    EXPECT_THAT(deliver(grant), ElementsAre(4, 5));
}

TEST_P(store_backfill, of_a_broker_is_one_at_a_time) {
    commit_history(1);
    auto grant = take_lane();
    order();
    try {
        order();
        FAIL() << "a second one";
    } catch (const usage_error& e) {
        EXPECT_THAT(e.what(), AllOf(HasSubstr("backfill of partner has not ended"), HasSubstr("--cancel")));
    }
    EXPECT_THAT(deliver(grant), ElementsAre(1));
    order();
    EXPECT_EQ(backfills_->list("partner", 10).size(), 2U);
    EXPECT_THAT(backfills_->list("default", 10), IsEmpty());
}

TEST_P(store_backfill, rests_with_all_that_is_newer_and_goes_on) {
    commit_history(4);
    auto grant = take_lane();
    order();
    commit({event("m-5")});
    ASSERT_EQ(backfills_->change("partner", backfill_state::paused, std::nullopt, at(1))->state,
              backfill_state::paused);
    EXPECT_THAT(deliver(grant), IsEmpty());
    EXPECT_TRUE(lane_.rows->due(grant, "partner", 0, page).backfill->is_paused);
    const auto resumed = backfills_->change("partner", backfill_state::running, 500.0, at(2));
    EXPECT_EQ(resumed->order.rate, 500);
    ASSERT_TRUE(backfills_->change("partner", backfill_state::running, 0.0, at(2)));
    EXPECT_THAT(deliver(grant), ElementsAre(1, 2, 3, 4, 5));
    EXPECT_FALSE(backfills_->change("partner", backfill_state::paused, std::nullopt, at(3))) << "it has ended";
}

TEST_P(store_backfill, that_is_cancelled_gives_no_more) {
    commit_history(4);
    auto grant = take_lane();
    order();
    commit({event("m-5")});
    ASSERT_TRUE(lane_.rows->give_backfill(grant, "partner", at(0), 2).moved);
    ASSERT_EQ(backfills_->change("partner", backfill_state::cancelled, std::nullopt, at(1))->state,
              backfill_state::cancelled);
    EXPECT_THAT(deliver(grant), ElementsAre(1, 2, 5));
    EXPECT_EQ(newest().ended_at, at(1));
    EXPECT_EQ(newest().position, 2);
}

TEST_P(store_backfill, keeps_to_its_rate) {
    commit_history(20);
    const auto grant = take_lane();
    order(0, 4);
    const auto given = [&](int second) {
        const auto before = newest().given;
        static_cast<void>(lane_.rows->give_backfill(grant, "partner", at(second), 100));
        return newest().given - before;
    };
    EXPECT_EQ(given(0), 0);
    EXPECT_EQ(given(1), 4);
    EXPECT_EQ(given(1), 0);
    EXPECT_EQ(given(2), 4);
    EXPECT_EQ(given(60), 4) << "what was not used is not saved up";
}

TEST_P(store_backfill, is_moved_by_the_owner_of_a_lane_only) {
    commit_history(3);
    const auto former = take_lane("partner", "first");
    order();
    auto later = lane_.lease->acquire("default:partner", "second", at(31), ttl);
    ASSERT_TRUE(later);
    EXPECT_FALSE(lane_.rows->give_backfill(former, "partner", at(31), page).owned);
    EXPECT_EQ(newest().position, 0);
    EXPECT_TRUE(lane_.rows->give_backfill(*later, "partner", at(31), page).moved);
    EXPECT_EQ(newest().position, 3);
}

TEST_P(store_backfill, goes_on_under_the_next_owner) {
    commit_history(6);
    const auto former = take_lane("partner", "first");
    order();
    ASSERT_TRUE(lane_.rows->give_backfill(former, "partner", at(0), 4).moved);
    commit({event("m-7")});
    auto later = lane_.lease->acquire("default:partner", "second", at(31), ttl);
    ASSERT_TRUE(later);
    EXPECT_THAT(deliver(*later), ElementsAre(1, 2, 3, 4, 5, 6, 7));
}

TEST_P(store_backfill, closes_the_sum_of_an_audit) {
    commit_history(4);
    auto grant = take_lane();
    commit({event("m-5")});
    order();
    const auto sum = [&] {
        audit_sum all;
        all.add(operations_->audit("partner", 0, 100));
        return all;
    };
    ASSERT_TRUE(lane_.rows->give_backfill(grant, "partner", at(0), 2).moved);
    EXPECT_TRUE(sum().closes());
    EXPECT_EQ(sum().waiting, 3);
    deliver(grant);
    EXPECT_TRUE(sum().closes());
    EXPECT_EQ(sum().confirmed, 5);
}

TEST_P(store_backfill, adds_no_more_while_very_many_rows_are_open) {
    std::vector<event_write> many;
    for (int i = 1; i <= most_open_for_backfill + 5; ++i) many.push_back(event("m-" + std::to_string(i), "o-1", {}));
    commit(std::move(many));
    const auto grant = take_lane();
    order();
    ASSERT_TRUE(lane_.rows->give_backfill(grant, "partner", at(0), most_open_for_backfill).moved);
    EXPECT_FALSE(lane_.rows->give_backfill(grant, "partner", at(0), page).moved);
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{published(1)}, 1), settle_outcome::settled);
    EXPECT_TRUE(lane_.rows->give_backfill(grant, "partner", at(0), page).moved);
}

}  // namespace
}  // namespace sluice::store::contract
