#include <atomic>
#include <future>

#include "integration/postgresql/open_commit.hpp"
#include "integration/postgresql/postgresql_fixture.hpp"

/// A sleeping lane is woken by the commit of another process, and a lane that is awake costs the committers nothing.
namespace sluice::store::postgresql_test {
namespace {

class postgresql_wake : public postgresql_ready {
protected:
    /// Later than any test waits: whoever relies on the tick is late.
    static constexpr duration never{10min};

    postgresql_wake() { observer_.execute("LISTEN \"" + channel() + "\""); }

    [[nodiscard]] std::string channel() const { return scalar("SELECT sluice_channel('partner')"); }
    /// Looks until there is nothing, then sleeps; empty while it sleeps.
    [[nodiscard]] std::future<wake_reason> sleep(duration timeout = never) {
        static_cast<void>(lane_.rows->due(grant_, "partner", cursor_, 100));
        return std::async(std::launch::async, [this, timeout] { return lane_.rows->wait(signal_, timeout); });
    }
    /// The lane holds its lock alone: committers know that it sleeps.
    [[nodiscard]] bool sleeps() {
        return observer_.scalar(
                   "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                   " AND mode = 'ExclusiveLock' AND classid = 'outbox'::regclass::oid") == "1";
    }
    [[nodiscard]] bool is_notified() {
        observer_.execute("SELECT 1");
        return observer_.notified();
    }

    std::unique_ptr<database> other_process_ = open_database();
    std::unique_ptr<unit_session> unit_ = other_process_->open_unit();
    lane_session lane_ = store_->open_lane();
    lease_grant grant_ = take(lane_);
    sequence cursor_ = 0;
    wake_signal signal_;
    session observer_ = connect();
};

TEST_F(postgresql_wake, notifies_only_while_the_lane_sleeps) {
    commit(*unit_, {event("m-1")});
    EXPECT_FALSE(is_notified()) << "nobody sleeps";
    cursor_ = 1;
    auto sleeper = sleep();
    ASSERT_TRUE(eventually([&] { return sleeps(); }));
    commit(*unit_, {event("m-2", "o-2", {"default"})});
    EXPECT_FALSE(is_notified()) << "no row for this lane";
    commit(*unit_, {event("m-3")});
    EXPECT_EQ(sleeper.get(), wake_reason::file_changed);
    EXPECT_TRUE(is_notified());

    EXPECT_EQ(ids(lane_.rows->due(grant_, "partner", 1, 100)), std::vector<std::string>{"m-3"});
    EXPECT_FALSE(sleeps());
    commit(*unit_, {event("m-4")});
    EXPECT_FALSE(is_notified()) << "it is awake and looks by itself";
}

TEST_F(postgresql_wake, does_not_sleep_through_a_commit_that_is_under_way) {
    auto slow = connect();
    slow.execute("BEGIN");
    append_event(slow, schema_, "m-1", "shop::order-1");
    static_cast<void>(lane_.rows->due(grant_, "partner", 0, 100));
    std::atomic<bool> found = false;
    std::jthread lane{[&] {
        while (!found) {
            static_cast<void>(lane_.rows->wait(signal_, never));
            found = !lane_.rows->due(grant_, "partner", 0, 100).rows.empty();
        }
    }};
    std::this_thread::sleep_for(30ms);
    slow.execute("COMMIT");
    EXPECT_TRUE(eventually([&] { return found.load(); })) << "it waits for its tick";
    if (!found) signal_.notify();
}

TEST_F(postgresql_wake, sees_every_commit_at_once_however_close_to_falling_asleep) {
    std::atomic<sequence> seen = 0;
    std::jthread lane{[&](const std::stop_token& stop) {
        sequence cursor = 0;
        while (!stop.stop_requested()) {
            const auto batch = lane_.rows->due(grant_, "partner", cursor, 100);
            for (const auto& row : batch.rows) cursor = std::max(cursor, row.seq);
            seen = cursor;
            if (batch.rows.empty()) static_cast<void>(lane_.rows->wait(signal_, never));
        }
    }};
    for (int i = 1; i <= 300; ++i) {
        commit(*unit_, {event("m-" + std::to_string(i))});
        EXPECT_TRUE(eventually([&] { return seen >= i; })) << "commit " << i << " waits for the tick";
        if (seen < i) break;
        if (i % 7 == 0) std::this_thread::sleep_for(std::chrono::microseconds{i * 10});
    }
    lane.request_stop();
    signal_.notify();
}

TEST_F(postgresql_wake, is_idle_when_nothing_happens) {
    static_cast<void>(lane_.rows->due(grant_, "partner", 0, 100));
    static_cast<void>(lane_.rows->wait(signal_, 10ms));
    const auto queries = [&] {
        return std::stol(
            observer_.scalar("SELECT xact_commit + xact_rollback FROM pg_stat_database"
                             " WHERE datname = current_database()"));
    };
    static_cast<void>(queries());
    auto sleeper = sleep(300ms);
    EXPECT_EQ(sleeper.get(), wake_reason::timed_out);
    EXPECT_TRUE(sleeps()) << "it holds its lock from tick to tick, so a tick costs one query";
}

TEST_F(postgresql_wake, a_stand_by_is_woken_by_a_release_and_not_by_commits) {
    auto second_process = open_database();
    const auto second = second_process->open_lane();
    ASSERT_FALSE(second.lease->acquire("default:partner", "you", system_clock().now(), ttl));
    wake_signal signal;
    std::atomic<bool> awake = false;
    std::jthread waiting{[&] {
        EXPECT_EQ(second.rows->wait(signal, never), wake_reason::file_changed);
        awake = true;
    }};
    auto sleeper = sleep();
    ASSERT_TRUE(eventually([&] { return sleeps(); }));
    commit(*unit_, {event("m-1")});
    EXPECT_EQ(sleeper.get(), wake_reason::file_changed);
    std::this_thread::sleep_for(20ms);
    EXPECT_FALSE(awake);
    lane_.lease->release(grant_, {.state = "lost", .since = system_clock().now()});
    EXPECT_TRUE(eventually([&] { return awake.load(); }));
    EXPECT_TRUE(second.lease->acquire("default:partner", "you", system_clock().now(), ttl));
}

TEST_F(postgresql_wake, a_former_owner_that_stands_by_lets_its_successor_sleep) {
    EXPECT_EQ(sleep(10ms).get(), wake_reason::timed_out);
    ASSERT_TRUE(sleeps());
    lane_.lease->release(grant_, {.state = "lost", .since = system_clock().now()});
    const auto next = other_process_->open_lane();
    const auto taken = next.lease->acquire("default:partner", "you", system_clock().now(), ttl);
    ASSERT_TRUE(taken);
    EXPECT_FALSE(lane_.lease->acquire("default:partner", "me", system_clock().now(), ttl));
    EXPECT_FALSE(sleeps()) << "only the owner's sleep is of interest";
    static_cast<void>(next.rows->due(*taken, "partner", 0, 100));
    EXPECT_EQ(next.rows->wait(signal_, 10ms), wake_reason::timed_out);
    EXPECT_TRUE(sleeps());
}

TEST_F(postgresql_wake, a_lane_that_dies_in_its_sleep_lets_go) {
    {
        auto sleeper = sleep(50ms);
        ASSERT_TRUE(eventually([&] { return sleeps(); }));
        EXPECT_EQ(sleeper.get(), wake_reason::timed_out);
    }
    lane_ = {};
    EXPECT_TRUE(eventually([&] { return !sleeps(); }));
    commit(*unit_, {event("m-1")});
    EXPECT_FALSE(is_notified());
}

TEST_F(postgresql_wake, without_listening_a_lane_keeps_to_its_tick) {
    auto deaf = options();
    deaf.listen_notify = false;
    lane_ = {};
    store_ = open_database(deaf);
    lane_ = store_->open_lane();
    grant_ = take(lane_);
    auto sleeper = sleep(200ms);
    std::this_thread::sleep_for(20ms);
    EXPECT_FALSE(sleeps());
    commit(*unit_, {event("m-1")});
    EXPECT_FALSE(is_notified());
    EXPECT_EQ(sleeper.get(), wake_reason::timed_out);
    EXPECT_EQ(lane_.rows->due(grant_, "partner", 0, 10).rows.size(), 1U);
    signal_.notify();
    EXPECT_EQ(lane_.rows->wait(signal_, never), wake_reason::signalled);
}

}  // namespace
}  // namespace sluice::store::postgresql_test
