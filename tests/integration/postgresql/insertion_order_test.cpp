#include <algorithm>
#include <atomic>
#include <iostream>
#include <map>
#include <set>

#include "base/wake.hpp"
#include "integration/postgresql/open_commit.hpp"
#include "integration/postgresql/postgresql_fixture.hpp"

/// A lane publishes in the order of insertion, whatever the aggregates: it waits for numbers below those that it sees,
/// for a while.
namespace sluice::store::postgresql_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class insertion_order : public postgresql_ready, public ::testing::WithParamInterface<int> {
protected:
    void wait_for(duration order_wait) {
        auto with = options();
        with.order_wait = order_wait;
        lane_ = {};
        store_ = open_database(std::move(with));
        lane_ = store_->open_lane();
        grant_ = take(lane_);
    }
    /// A transaction that has written an event and does not end.
    [[nodiscard]] session writer(const std::string& message, const std::string& order) const {
        auto db = connect();
        db.execute("BEGIN");
        append_event(db, schema_, message, "shop::order-" + order);
        return db;
    }
    std::vector<std::string> look() {
        const auto batch = lane_.rows->due(grant_, "partner", cursor_, 100);
        if (!batch.rows.empty()) cursor_ = std::max(cursor_, batch.rows.back().seq);
        return ids(batch);
    }

    struct figures {
        std::size_t events = 0;
        int inversions = 0;
        double seconds = 0;
        std::vector<double> milliseconds{};  ///< of each event: from its insertion until it was handed out
    };
    /// Writers as they come: a commit after the other, each to an aggregate of its own; and a lane beside them.
    [[nodiscard]] figures run(int writers, std::chrono::milliseconds time);

    lane_session lane_;
    lease_grant grant_;
    sequence cursor_ = 0;
    int runs_ = 0;
};

TEST_F(insertion_order, a_lane_waits_for_a_number_below_those_that_it_sees) {
    wait_for(1min);
    const auto unit = store_->open_unit();
    commit(*unit, {event("m-1", "a")});
    auto slow = writer("m-2", "slow");
    commit(*unit, {event("m-3", "b")});
    EXPECT_THAT(look(), ElementsAre("m-1"));
    EXPECT_THAT(look(), IsEmpty());
    slow.execute("COMMIT");
    EXPECT_THAT(look(), ElementsAre("m-2", "m-3"));
}

TEST_F(insertion_order, a_lane_waits_for_no_number_that_was_rolled_back) {
    wait_for(1min);
    auto gone = writer("m-1", "gone");
    const auto unit = store_->open_unit();
    commit(*unit, {event("m-2", "b")});
    EXPECT_THAT(look(), IsEmpty());
    gone.execute("ROLLBACK");
    EXPECT_TRUE(eventually([&] { return look() == std::vector<std::string>{"m-2"}; }));
}

TEST_F(insertion_order, a_transaction_that_outlasts_the_wait_is_passed) {
    wait_for(20ms);
    auto slow = writer("m-1", "slow");
    const auto unit = store_->open_unit();
    commit(*unit, {event("m-2", "b")});
    EXPECT_TRUE(eventually([&] { return look() == std::vector<std::string>{"m-2"}; }));
    slow.execute("COMMIT");
    EXPECT_THAT(look(), ElementsAre("m-1")) << "late, and not lost";
}

TEST_F(insertion_order, a_lane_that_holds_rows_back_sleeps_for_a_moment_only) {
    wait_for(1min);
    auto slow = writer("m-1", "slow");
    const auto unit = store_->open_unit();
    commit(*unit, {event("m-2", "b")});
    EXPECT_THAT(look(), IsEmpty());
    base::wake_signal signal;
    EXPECT_EQ(lane_.rows->wait(signal, 1min), wake_reason::file_changed);
    slow.execute("COMMIT");
    EXPECT_THAT(look(), ElementsAre("m-1", "m-2"));
}

insertion_order::figures insertion_order::run(int writers, std::chrono::milliseconds time) {
    const int runs = ++runs_;
    std::atomic<bool> done = false;
    std::atomic<std::size_t> committed = 0;
    std::vector<std::jthread> threads;
    auto with = options();
    with.max_connections = static_cast<std::size_t>(writers);
    const auto written_through = open_database(std::move(with));
    for (int writer = 0; writer < writers; ++writer) {
        threads.emplace_back([&, writer] {
            const auto unit = written_through->open_unit();
            for (int i = 0; !done; ++i) {
                const auto name = std::to_string(runs) + "-" + std::to_string(writer) + "-" + std::to_string(i);
                commit(*unit, {event("m-" + name, name, {"partner"})}, {insert(name)});
                ++committed;
            }
        });
    }
    figures found;
    base::wake_signal signal;
    sequence highest = 0;
    const auto turn = [&] {
        const auto batch = lane_.rows->due(grant_, "partner", cursor_, 200);
        const auto now = system_clock().now();
        for (const auto& row : batch.rows) {
            if (row.seq < highest) ++found.inversions;
            highest = std::max(highest, row.seq);
            found.milliseconds.push_back(static_cast<double>((now - row.event.created_at).count()) / 1e3);
        }
        cursor_ = std::max(cursor_, highest);
        found.events += batch.rows.size();
        if (!batch.rows.empty()) {
            EXPECT_EQ(lane_.rows->settle(grant_, "partner", published(batch.rows), cursor_), settle_outcome::settled);
        } else {
            static_cast<void>(lane_.rows->wait(signal, 100ms));
        }
    };
    const auto begin = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - begin < time) turn();
    done = true;
    found.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    threads.clear();
    EXPECT_TRUE(eventually([&] {
        turn();
        return found.events == committed;
    }));
    std::ranges::sort(found.milliseconds);
    return found;
}

TEST_P(insertion_order, holds_across_aggregates_while_many_commit_at_once) {
    for (const duration order_wait : {duration{0}, duration{1min}}) {
        wait_for(order_wait);
        const auto found = run(GetParam(), 700ms);
        const auto& took = found.milliseconds;
        ASSERT_GT(took.size(), 20U);
        std::cout << GetParam() << " writers, " << (order_wait == duration{0} ? "no wait" : "waiting") << ": "
                  << static_cast<double>(found.events) / found.seconds << " events/s, " << found.inversions
                  << " inversions, from insertion to the lane p50 " << took.at(took.size() / 2) << " ms, p99 "
                  << took.at(took.size() * 99 / 100) << " ms\n";
        if (order_wait != duration{0}) {
            EXPECT_EQ(found.inversions, 0);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(writers, insertion_order, ::testing::Values(8, 32));

}  // namespace
}  // namespace sluice::store::postgresql_test
