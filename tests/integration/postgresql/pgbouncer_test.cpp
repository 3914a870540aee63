#include <map>

#include "integration/postgresql/postgresql_fixture.hpp"

/// Behind a real PgBouncer in transaction mode with four server connections.
namespace sluice::store::postgresql_test {
namespace {

class behind_pgbouncer : public postgresql_fixture {
protected:
    behind_pgbouncer() {
        auto pooled = options();
        pooled.conninfo = pooler_;
        store_ = open_database(pooled);
        store_->setup();
    }

    const std::string pooler_ = testing::postgresql::server::shared().pooler_uri();
    std::unique_ptr<database> store_;  ///< through the pooler; what the tests ask themselves goes past it
};

TEST_F(behind_pgbouncer, carries_rows_from_many_writers_through_lanes_in_order) {
    constexpr int writers = 8;
    constexpr int commits = 40;
    std::vector<std::jthread> threads;
    for (int writer = 0; writer < writers; ++writer) {
        threads.emplace_back([&, writer] {
            const auto unit = store_->open_unit();
            const auto order = "o-" + std::to_string(writer);
            for (int i = 0; i < commits; ++i) {
                commit(*unit, {event(order + "-" + std::to_string(i), order)},
                       {i == 0 ? insert(order) : update(order, i)});
            }
        });
    }
    // Two lanes, each with a session that the pooler gives another server connection for each transaction.
    std::vector<std::jthread> lanes;
    for (const std::string broker : {"default", "partner"}) {
        lanes.emplace_back([this, broker] {
            const auto lane = store_->open_lane();
            auto grant = take(lane, broker);
            wake_signal signal;
            sequence cursor = 0;
            std::map<std::string, sequence> last;
            int found = 0;
            const auto give_up = std::chrono::steady_clock::now() + 60s;
            while (found < writers * commits && std::chrono::steady_clock::now() < give_up) {
                const auto batch = lane.rows->due(grant, broker, cursor, 30);
                for (const auto& row : batch.rows) {
                    EXPECT_LT(last[row.event.stream], row.seq);
                    last[row.event.stream] = row.seq;
                    cursor = std::max(cursor, row.seq);
                }
                found += static_cast<int>(batch.rows.size());
                if (batch.rows.empty()) {
                    static_cast<void>(lane.rows->wait(signal, 5ms));
                } else {
                    EXPECT_EQ(lane.rows->settle(grant, broker, published(batch.rows), cursor), settle_outcome::settled);
                }
            }
            EXPECT_EQ(found, writers * commits);
            EXPECT_TRUE(
                lane.lease->renew(grant, {.state = "idle", .since = grant.expires_at}, system_clock().now(), ttl));
            lane.lease->release(grant, {.state = "lost", .since = grant.expires_at});
        });
    }
    threads.clear();
    lanes.clear();
    EXPECT_EQ(scalar("SELECT count(*) FROM outbox WHERE status = 'published'"), std::to_string(2 * writers * commits));
}

TEST_F(behind_pgbouncer, leaves_nothing_in_the_sessions_it_borrowed) {
    const auto unit = store_->open_unit();
    commit(*unit, {event("m-1")}, {insert("o-1")});
    EXPECT_THROW(commit(*unit, {event("m-2")}, {update("o-1", 7)}), expected_version_error);
    EXPECT_THROW(unit->commit({.marks = {{"a", "b"}, {"a", "b"}}, .at = system_clock().now()}), duplicate_message);
    const auto lane = store_->open_lane();
    const auto grant = take(lane);
    wake_signal signal;
    EXPECT_EQ(lane.rows->due(grant, "partner", 0, 10).rows.size(), 1U);
    EXPECT_EQ(lane.rows->wait(signal, 1ms), wake_reason::timed_out);

    session direct{testing::postgresql::uri()};
    EXPECT_EQ(direct.scalar("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = '" + schema_ +
                            ".outbox'::regclass::oid"),
              "0");
    for (int i = 0; i < 10; ++i) {
        auto pooled = session{pooler_};
        EXPECT_EQ(pooled.scalar("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'sluice%'"), "0");
        EXPECT_EQ(pooled.scalar("SHOW enable_seqscan"), "on");
        EXPECT_EQ(pooled.scalar("SHOW statement_timeout"), "0");
        EXPECT_EQ(pooled.scalar("SELECT count(*) FROM pg_listening_channels()"), "0");
    }
    EXPECT_EQ(direct.scalar("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
                            " AND query LIKE '%" +
                            schema_ + "%'"),
              "0");
}

TEST_F(behind_pgbouncer, a_direct_lane_is_woken_by_a_commit_through_the_pooler) {
    const auto direct = open_database();
    const auto lane = direct->open_lane();
    const auto grant = take(lane);
    wake_signal signal;
    static_cast<void>(lane.rows->due(grant, "partner", 0, 10));
    std::jthread committer{[&] {
        std::this_thread::sleep_for(50ms);
        commit(*store_->open_unit(), {event("m-1")});
    }};
    EXPECT_EQ(lane.rows->wait(signal, testing::long_enough), wake_reason::file_changed);
    committer.join();
    EXPECT_EQ(lane.rows->due(grant, "partner", 0, 10).rows.size(), 1U);
}

/// The pooler may hand a session over to a server that took over, and no connection of ours breaks.
TEST_F(behind_pgbouncer, a_transaction_that_meets_another_timeline_does_nothing) {
    commit(*store_->open_unit(), {event("m-1"), event("m-2", "o-2")});
    const auto lane = store_->open_lane();
    auto grant = take(lane);
    const auto batch = lane.rows->due(grant, "partner", 0, 10);
    ASSERT_EQ(batch.rows.size(), 2U);
    ASSERT_EQ(lane.rows->settle(grant, "partner", published({batch.rows[0]}), 1), settle_outcome::settled);

    auto elsewhere = grant;
    elsewhere.history.at("timeline") = "99";  // as if the lease had been taken before the failover
    EXPECT_EQ(lane.rows->settle(elsewhere, "partner", published({batch.rows[1]}), 2), settle_outcome::fenced);
    EXPECT_EQ(lane.lease->lost_history(), "timeline was 99 and is 1");
    EXPECT_FALSE(lane.rows->due(elsewhere, "partner", 0, 10).owned);
    EXPECT_FALSE(lane.lease->renew(elsewhere, {.state = "idle", .since = grant.expires_at}, system_clock().now(), ttl));
    EXPECT_EQ(scalar("SELECT status FROM " + schema_ + ".outbox WHERE target_broker = 'partner' AND seq = 2"),
              "pending");
    EXPECT_TRUE(lane.rows->due(grant, "partner", 1, 10).owned) << "the lease itself is as it was";
}

}  // namespace
}  // namespace sluice::store::postgresql_test
