#include <algorithm>
#include <thread>

#include "integration/postgresql/open_commit.hpp"
#include "integration/postgresql/postgresql_fixture.hpp"
#include "support/ledger_faults.hpp"

// Backfills where commits overlap.
namespace sluice::store::postgresql_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class backfill_on_postgresql : public postgresql_ready {
protected:
    void TearDown() override { EXPECT_EQ(scalar(testing::ledger_faults_sql), ""); }

    backfill order() {
        return backfills_->begin({.broker = "partner", .types = {"Shop.OrderShipped.v1", "t"}}, system_clock().now());
    }
    [[nodiscard]] backfill newest() { return backfills_->list("partner", 1).at(0); }
    [[nodiscard]] static bool step(lane_session& lane, const lease_grant& grant, std::size_t most = 100) {
        return lane.rows->give_backfill(grant, "partner", system_clock().now(), most).moved;
    }

    std::unique_ptr<unit_session> unit_ = store_->open_unit();
    std::unique_ptr<backfill_session> backfills_ = store_->open_backfills();
};

TEST_F(backfill_on_postgresql, waits_for_transactions_that_know_nothing_of_the_broker) {
    commit(*unit_, {event("m-1", "a", {"default"})});
    auto before = connect();
    before.execute("BEGIN");
    append_event(before, schema_, "m-2", "shop::order-b", "default");
    commit(*unit_, {event("m-3", "c", {"default"})});
    auto lane = store_->open_lane();
    const auto grant = take(lane);
    EXPECT_TRUE(order().waits);
    EXPECT_FALSE(step(lane, grant));
    append_event(before, schema_, "m-4", "shop::order-d", "default");  // above the end that there was
    before.execute("COMMIT");
    EXPECT_TRUE(step(lane, grant));
    EXPECT_FALSE(newest().waits);
    EXPECT_TRUE(step(lane, grant));
    static_cast<void>(lane.rows->due(grant, "partner", 0, 10));
    EXPECT_THAT(ids(lane.rows->due(grant, "partner", 0, 10)), ElementsAre("m-1", "m-2", "m-3", "m-4"));
    EXPECT_EQ(newest().state, backfill_state::done);
}

TEST_F(backfill_on_postgresql, does_not_wait_for_transactions_of_later) {
    commit(*unit_, {event("m-1", "a", {"default"})});
    EXPECT_FALSE(order().waits);
    auto after = connect();
    after.execute("BEGIN");
    append_event(after, schema_, "m-2", "shop::order-b");
    auto lane = store_->open_lane();
    const auto grant = take(lane);
    EXPECT_TRUE(step(lane, grant));
    EXPECT_THAT(ids(lane.rows->due(grant, "partner", 0, 10)), ElementsAre("m-1"));
    after.execute("ROLLBACK");
}

TEST_F(backfill_on_postgresql, is_moved_by_all_lanes_of_the_broker_at_once_and_gives_each_event_once) {
    constexpr int count = 600;
    for (int i = 1; i <= count; ++i) {
        commit(*unit_, {event("m-" + std::to_string(i), "o-" + std::to_string(i % 17), {"default"})});
    }
    order();
    std::vector<std::vector<sequence>> sent(2);
    const auto carry = [&](int number) {
        auto lane = store_->open_lane();
        auto grant = *lane.lease->acquire(make_lane_name("default", "partner", {.number = number, .count = 2}),
                                          "owner-" + std::to_string(number), system_clock().now(), ttl);
        sequence cursor = 0;
        for (;;) {
            const auto batch = lane.rows->due(grant, "partner", cursor, 7);
            grant.rescan = batch.rescan;
            for (const auto& row : batch.rows) sent.at(static_cast<std::size_t>(number) - 1).push_back(row.seq);
            if (!batch.rows.empty()) {
                cursor = batch.rows.back().seq;
                if (lane.rows->settle(grant, "partner", published(batch.rows), cursor) != settle_outcome::settled) {
                    return;
                }
            } else if (!batch.backfill) {
                return;
            } else {
                static_cast<void>(step(lane, grant, 13));
            }
        }
    };
    {
        const std::jthread one{carry, 1};
        const std::jthread other{carry, 2};
    }
    for (const auto& of_lane : sent) {
        EXPECT_FALSE(of_lane.empty());
        EXPECT_TRUE(std::ranges::is_sorted(of_lane));
    }
    std::vector<sequence> all = sent[0];
    all.insert(all.end(), sent[1].begin(), sent[1].end());
    std::ranges::sort(all);
    EXPECT_EQ(all.size(), static_cast<std::size_t>(count));
    EXPECT_EQ(std::ranges::adjacent_find(all), all.end());
    EXPECT_EQ(newest().given, count);
    EXPECT_EQ(scalar("SELECT count(*) FROM outbox WHERE target_broker = 'partner' AND status = 'published'"),
              std::to_string(count));
}

}  // namespace
}  // namespace sluice::store::postgresql_test
