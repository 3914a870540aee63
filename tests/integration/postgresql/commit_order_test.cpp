#include <atomic>
#include <map>
#include <random>
#include <set>

#include "integration/postgresql/open_commit.hpp"
#include "integration/postgresql/postgresql_fixture.hpp"
#include "store/postgresql/gap_tracker.hpp"

/// Numbers are drawn before a commit and seen after it: a lane neither skips a number that commits late nor waits for
/// one that never will.
namespace sluice::store::postgresql_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class commit_order : public postgresql_ready {
protected:
    commit_order() { begin(); }

    void start_again(postgresql_options with) {
        lane_ = {};
        unit_.reset();
        store_ = open_database(std::move(with));
        unit_ = store_->open_unit();
        begin();
    }
    void begin() {
        lane_ = store_->open_lane();
        grant_ = take(lane_);
        cursor_ = grant_.mark;
    }

    /// A transaction that has written an event and does not end.
    [[nodiscard]] session writer(const std::string& message, const std::string& order) const {
        auto db = connect();
        db.execute("BEGIN");
        append_event(db, schema_, message, "shop::order-" + order);
        return db;
    }

    /// A turn of a lane: looks, publishes and settles.
    std::vector<std::string> turn(std::size_t limit = 100) {
        const auto batch = lane_.rows->due(grant_, "partner", cursor_, limit);
        horizon_ = batch.horizon;
        gaps_ = batch.gaps;
        EXPECT_TRUE(batch.owned);
        EXPECT_TRUE(std::ranges::is_sorted(batch.rows, {}, &due_row::seq));
        if (batch.rows.empty()) return {};
        cursor_ = std::max(cursor_, batch.rows.back().seq);
        EXPECT_EQ(lane_.rows->settle(grant_, "partner", published(batch.rows), cursor_), settle_outcome::settled);
        return ids(batch);
    }
    [[nodiscard]] sequence stored_mark() {
        EXPECT_TRUE(
            lane_.lease->renew(grant_, {.state = "flowing", .since = grant_.expires_at}, system_clock().now(), ttl));
        return store_->open_operations()->lanes().front().mark;
    }

    std::unique_ptr<unit_session> unit_ = store_->open_unit();
    lane_session lane_;
    lease_grant grant_;
    sequence cursor_ = 0;
    std::optional<sequence> horizon_;
    std::size_t gaps_ = 0;
};

TEST_F(commit_order, does_not_skip_a_lower_number_that_commits_later) {
    commit(*unit_, {event("m-1", "a")});
    auto slow = writer("m-2", "slow");
    commit(*unit_, {event("m-3", "b")});
    EXPECT_THAT(turn(), ElementsAre("m-1", "m-3"));
    EXPECT_EQ(horizon_, 2);
    EXPECT_EQ(stored_mark(), 1) << "the mark passed a number that may still appear";
    EXPECT_THAT(turn(), IsEmpty());
    slow.execute("COMMIT");
    EXPECT_THAT(turn(), ElementsAre("m-2"));
    EXPECT_FALSE(horizon_);
    EXPECT_THAT(turn(), IsEmpty()) << "handed out twice";
    EXPECT_EQ(cursor_, 3);
    ASSERT_EQ(lane_.rows->settle(grant_, "partner", {}, cursor_), settle_outcome::settled);
    EXPECT_EQ(stored_mark(), 3);
}

TEST_F(commit_order, gives_up_a_number_that_was_rolled_back) {
    auto doomed = writer("m-1", "doomed");
    commit(*unit_, {event("m-2", "b")});
    EXPECT_THAT(turn(), ElementsAre("m-2"));
    doomed.execute("ROLLBACK");
    EXPECT_TRUE(eventually([&] { return turn().empty() && !horizon_; }));
    ASSERT_EQ(lane_.rows->settle(grant_, "partner", {}, cursor_), settle_outcome::settled);
    EXPECT_EQ(stored_mark(), 2);
}

TEST_F(commit_order, is_not_held_up_by_a_long_reader_or_a_long_writer_of_other_tables) {
    auto reader = connect();
    reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ");
    reader.execute("SELECT count(*) FROM outbox");
    auto stranger = connect();
    stranger.execute("BEGIN");
    stranger.execute("CREATE TABLE nightly_report (n int)");  // has a transaction id, and keeps it

    auto doomed = writer("m-1", "doomed");
    commit(*unit_, {event("m-2", "b")});
    EXPECT_THAT(turn(), ElementsAre("m-2"));
    doomed.execute("ROLLBACK");
    EXPECT_TRUE(eventually([&] { return turn().empty() && !horizon_; })) << "the stranger holds the lane's mark down";
}

TEST_F(commit_order, waits_for_exactly_those_who_can_fill_the_gap) {
    auto doomed = writer("m-1", "doomed");
    auto slow = writer("m-2", "slow");
    commit(*unit_, {event("m-3", "b")});
    EXPECT_THAT(turn(), ElementsAre("m-3"));
    doomed.execute("ROLLBACK");
    const auto long_enough = std::chrono::steady_clock::now() + 500ms;
    while (std::chrono::steady_clock::now() < long_enough) {
        EXPECT_THAT(turn(), IsEmpty());
        ASSERT_TRUE(horizon_) << "m-2 may still appear, and nobody knows that 1 was not its number";
    }
    slow.execute("COMMIT");
    EXPECT_THAT(turn(), ElementsAre("m-2"));
    EXPECT_TRUE(eventually([&] { return turn().empty() && !horizon_; }));
}

TEST_F(commit_order, hands_out_what_a_restart_found_missing) {
    commit(*unit_, {event("m-1", "a")});
    auto slow = writer("m-2", "slow");
    commit(*unit_, {event("m-3", "b")});
    EXPECT_THAT(turn(), ElementsAre("m-1", "m-3"));
    EXPECT_EQ(stored_mark(), 1);
    // The process dies: nothing it knew is left but the mark.
    start_again(options());
    EXPECT_EQ(cursor_, 1);
    EXPECT_THAT(turn(), IsEmpty()) << "m-3 is published";
    slow.execute("COMMIT");
    EXPECT_THAT(turn(), ElementsAre("m-2"));
}

TEST_F(commit_order, is_remembered_when_only_the_connection_was_lost) {
    commit(*unit_, {event("m-1", "a")});
    auto slow = writer("m-2", "slow");
    commit(*unit_, {event("m-3", "b")});
    EXPECT_THAT(turn(), ElementsAre("m-1", "m-3"));
    lane_ = store_->open_lane();  // as a lane does after an error; it keeps its grant and its cursor
    slow.execute("COMMIT");
    EXPECT_THAT(turn(), ElementsAre("m-2"));
}

TEST_F(commit_order, hands_out_many_late_rows_in_portions) {
    auto slow = connect();
    slow.execute("BEGIN");
    for (int n = 1; n <= 250; ++n) {
        append_event(slow, schema_, "l-" + std::to_string(n), "shop::order-" + std::to_string(n));
    }
    commit(*unit_, {event("m-1", "b")});
    EXPECT_THAT(turn(), ElementsAre("m-1"));
    slow.execute("COMMIT");
    std::vector<std::string> late;
    for (int turns = 0; turns < 30 && late.size() < 250; ++turns) {
        const auto some = turn(20);
        EXPECT_LE(some.size(), 20U);
        late.insert(late.end(), some.begin(), some.end());
    }
    ASSERT_EQ(late.size(), 250U);
    for (int n = 1; n <= 250; ++n) EXPECT_EQ(late[static_cast<std::size_t>(n - 1)], "l-" + std::to_string(n));
    EXPECT_TRUE(eventually([&] { return turn().empty() && !horizon_; }));
}

TEST_F(commit_order, looks_at_all_that_was_late_before_anything_newer) {
    auto slow = connect();
    slow.execute("BEGIN");
    for (int n = 1; n <= 100; ++n) {
        append_event(slow, schema_, "l-" + std::to_string(n), "shop::order-x", n <= 90 ? "default" : "partner");
    }
    commit(*unit_, {event("m-1", "b")});
    EXPECT_THAT(turn(), ElementsAre("m-1"));
    slow.execute("COMMIT");
    commit(*unit_, {event("m-2", "x")});
    std::vector<std::string> order;
    for (int turns = 0; turns < 10 && order.size() < 11; ++turns) {
        for (const auto& id : turn(20)) order.push_back(id);
    }
    ASSERT_EQ(order.size(), 11U);
    EXPECT_EQ(order.front(), "l-91");
    EXPECT_EQ(order.back(), "m-2") << "it is newer than l-100 of the same stream";
}

TEST_F(commit_order, looks_at_gaps_and_rows_in_one_snapshot) {
    auto slow = writer("m-1", "x");
    commit(*unit_, {event("m-2", "b")});
    EXPECT_THAT(turn(), ElementsAre("m-2"));
    // Only the look for rows reads the leases, so it is held up here, after the look at the gaps.
    auto obstacle = connect();
    obstacle.execute("BEGIN");
    obstacle.execute("LOCK TABLE lease IN ACCESS EXCLUSIVE MODE");
    std::vector<std::string> found;
    std::jthread lane{[&] { found = ids(lane_.rows->due(grant_, "partner", cursor_, 100)); }};
    EXPECT_TRUE(eventually([&] {
        return scalar("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'lease'::regclass") == "1";
    }));
    slow.execute("COMMIT");
    commit(*unit_, {event("m-3", "x")});
    obstacle.execute("COMMIT");
    lane.join();
    EXPECT_THAT(found, IsEmpty()) << "m-3 is newer than m-1 of the same stream";
    EXPECT_THAT(turn(), ElementsAre("m-1", "m-3"));
}

TEST_F(commit_order, waits_for_a_writer_who_has_drawn_his_number_and_written_nothing_yet) {
    connect().execute(R"(
        CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN IF new.message_id = 'm-1' THEN PERFORM pg_advisory_xact_lock(42); END IF; RETURN new; END$$;
        CREATE TRIGGER pause BEFORE INSERT ON event_log FOR EACH ROW EXECUTE FUNCTION pause())");
    // The first number of a sequence is logged, and that gives its transaction an id; the next ones are not.
    commit(*unit_, {event("m-0", "a")});
    EXPECT_THAT(turn(), ElementsAre("m-0"));
    auto obstacle = connect();
    obstacle.execute("SELECT pg_advisory_lock(42)");
    std::jthread slow{[&] { writer("m-1", "x").execute("COMMIT"); }};
    EXPECT_TRUE(eventually([&] {
        return scalar("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory' AND objid = 42") ==
               "1";
    }));
    commit(*unit_, {event("m-2", "b")});
    EXPECT_THAT(turn(), ElementsAre("m-2"));
    for (int turns = 0; turns < 10; ++turns) {
        EXPECT_THAT(turn(), IsEmpty());
        EXPECT_EQ(horizon_, 2);
    }
    obstacle.execute("SELECT pg_advisory_unlock(42)");
    slow.join();
    EXPECT_THAT(turn(), ElementsAre("m-1"));
}

TEST_F(commit_order, hands_out_a_late_row_once_when_its_stream_was_caught_up_meanwhile) {
    auto slow = writer("m-1", "x");
    commit(*unit_, {event("m-2", "b")});
    EXPECT_THAT(turn(), ElementsAre("m-2"));
    slow.execute("COMMIT");
    EXPECT_THAT(ids(lane_.rows->due_in_stream(grant_, "partner", "shop::order-x", 0, cursor_, 10)), ElementsAre("m-1"));
    EXPECT_THAT(turn(), IsEmpty());
    EXPECT_FALSE(horizon_);
}

TEST_F(commit_order, passes_over_a_hole_in_the_sequence_however_wide) {
    commit(*unit_, {event("m-1", "a")});
    connect().execute("SELECT setval(pg_get_serial_sequence('event_log', 'seq'), 5000000000)");
    commit(*unit_, {event("m-2", "b")});
    EXPECT_THAT(turn(), ElementsAre("m-1", "m-2"));
    EXPECT_TRUE(eventually([&] { return turn().empty() && !horizon_; }));
    EXPECT_EQ(cursor_, 5'000'000'001);
}

TEST_F(commit_order, finds_rare_rows_far_up_the_log) {
    connect().execute(
        "INSERT INTO event_log (message_id, stream, stream_category, position, type, created_at, data, metadata)"
        " SELECT 'x-' || n, 's-' || n, 's', 0, 't', now(), '{}', '{}' FROM generate_series(1, 30000) AS n");
    commit(*unit_, {event("m-1", "a")});
    EXPECT_THAT(turn(), ElementsAre("m-1"));
    EXPECT_FALSE(horizon_);
}

/// A lane that has nearly caught up asks for less (`due_at_head`), and sees the same.
class at_the_head : public commit_order {
protected:
    at_the_head() {
        commit(*unit_, {event("m-0", "first")});
        EXPECT_THAT(turn(), ElementsAre("m-0"));
        EXPECT_THAT(turn(), IsEmpty());
    }
    /// An event of another broker.
    void commit_for_others(int number) {
        auto other = event("x-" + std::to_string(number), "others");
        other.target_brokers = {"elsewhere"};
        commit(*unit_, {other});
    }
};

TEST_F(at_the_head, finds_its_rows_among_those_of_others_and_every_missing_number) {
    commit_for_others(1);
    commit(*unit_, {event("m-1", "a")});
    auto slow = writer("m-slow", "slow");
    auto slower = writer("m-slower", "slower");
    commit_for_others(2);
    commit(*unit_, {event("m-2", "b")});
    EXPECT_THAT(turn(), ElementsAre("m-1", "m-2"));
    EXPECT_EQ(horizon_, 4);
    EXPECT_EQ(gaps_, 1U) << "two numbers side by side";
    EXPECT_THAT(turn(), IsEmpty());
    slower.execute("COMMIT");
    commit(*unit_, {event("m-3", "c")});
    EXPECT_THAT(turn(), ElementsAre("m-slower", "m-3"));
    EXPECT_EQ(horizon_, 4);
    slow.execute("ROLLBACK");
    EXPECT_TRUE(eventually([&] { return turn().empty() && !horizon_; }));
    ASSERT_EQ(lane_.rows->settle(grant_, "partner", {}, cursor_), settle_outcome::settled);
    EXPECT_EQ(stored_mark(), cursor_);
}

TEST_F(at_the_head, misses_nothing_where_more_came_than_one_look_passes) {
    std::vector<std::string> all;
    for (int i = 1; i <= 130; ++i) {
        commit_for_others(i);
        if (i % 3 != 0) continue;
        all.push_back("m-" + std::to_string(i));
        commit(*unit_, {event(all.back(), std::to_string(i))});
    }
    std::vector<std::string> found;
    for (auto some = turn(10); !some.empty(); some = turn(10)) {
        EXPECT_LE(some.size(), 10U);
        found.insert(found.end(), some.begin(), some.end());
    }
    EXPECT_EQ(found, all);
    EXPECT_FALSE(horizon_);
}

TEST_F(at_the_head, reads_a_gap_that_filled_behind_rows_that_were_not_taken) {
    auto slow = writer("m-slow", "slow");
    for (int i = 1; i <= 5; ++i) commit(*unit_, {event("m-" + std::to_string(i), std::to_string(i))});
    EXPECT_THAT(turn(2), ElementsAre("m-1", "m-2")) << "three are above its cursor, and looked at";
    slow.execute("COMMIT");
    EXPECT_THAT(turn(2), ElementsAre("m-slow", "m-3"));
    EXPECT_THAT(turn(), ElementsAre("m-4", "m-5"));
    EXPECT_FALSE(horizon_);
}

TEST_F(at_the_head, takes_large_rows_one_by_one) {
    auto large = event("m-large", "large");
    large.event.data = R"({"text":")" + std::string(100'000, 'x') + "\"}";
    commit(*unit_, {event("m-1", "a"), large, event("m-2", "b")});
    const page_size page{100, 64'000};
    std::vector<std::string> found;
    for (int looks = 0; looks < 10 && found.size() < 3; ++looks) {
        const auto batch = lane_.rows->due(grant_, "partner", cursor_, page);
        for (const auto& id : ids(batch)) found.push_back(id);
        if (!batch.rows.empty()) cursor_ = batch.rows.back().seq;
    }
    EXPECT_THAT(found, ElementsAre("m-1", "m-large", "m-2"));
}

TEST_F(at_the_head, stops_where_a_backfill_is) {
    commit(*unit_, {event("m-1", "a")});
    const auto orders = store_->open_backfills();
    static_cast<void>(orders->begin({.broker = "partner", .types = {"t"}}, system_clock().now()));
    connect().execute("UPDATE outbox_backfill SET position = 1");
    EXPECT_THAT(turn(), IsEmpty()) << "what is newer waits for it";
    connect().execute("UPDATE outbox_backfill SET state = 'cancelled', ended_at = now()");
    EXPECT_THAT(turn(), ElementsAre("m-1"));
}

TEST_F(commit_order, strict_order_holds_back_what_is_above_the_gap_and_tells_what_holds_it) {
    auto strict = options();
    strict.strict_order = true;
    start_again(strict);
    commit(*unit_, {event("m-1", "a")});
    auto slow = writer("m-2", "slow");
    commit(*unit_, {event("m-3", "b")});
    EXPECT_THAT(turn(), ElementsAre("m-1"));
    EXPECT_THAT(turn(), IsEmpty());
    EXPECT_EQ(horizon_, 2);

    EXPECT_EQ(stored_mark(), 1);
    EXPECT_EQ(store_->open_operations()->lanes().front().horizon, 2);
    const auto writers = store_->open_operations()->open_writers();
    ASSERT_EQ(writers.size(), 1U);
    EXPECT_EQ(std::to_string(writers.front().pid), slow.scalar("SELECT pg_backend_pid()"));
    EXPECT_EQ(writers.front().state, "idle in transaction");
    EXPECT_GT(writers.front().age.value(), 0us);

    slow.execute("COMMIT");
    EXPECT_THAT(turn(), ElementsAre("m-2", "m-3"));
}

TEST_F(commit_order, a_forgotten_transaction_holds_no_number_that_was_drawn_after_it_fell_silent) {
    auto forgotten = writer("m-1", "forgotten");
    commit(*unit_, {event("m-2", "a")});
    EXPECT_THAT(turn(), ElementsAre("m-2"));
    // A gap that lasts is asked about; by then the transaction is seen idle.
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_TRUE(eventually([&] {
        EXPECT_THAT(turn(), IsEmpty());
        return std::chrono::steady_clock::now() - begin > 2 * postgresql::gap_tracker::patience;
    }));
    for (int i = 0; i < 20; ++i) {
        writer("gone-" + std::to_string(i), "gone").execute("ROLLBACK");
        commit(*unit_, {event("more-" + std::to_string(i), "b")});
    }
    std::vector<std::string> rest;
    EXPECT_TRUE(eventually([&] {
        for (auto& each : turn()) rest.push_back(std::move(each));
        return rest.size() == 20 && horizon_ == 1 && gaps_ == 1;
    })) << "the numbers that were rolled back are waited for";
    forgotten.execute("COMMIT");
    EXPECT_THAT(turn(), ElementsAre("m-1"));
    EXPECT_TRUE(eventually([&] { return turn().empty() && !horizon_; }));
}

TEST_F(commit_order, holds_for_every_stream_under_many_writers_that_roll_back) {
    constexpr int writers = 6;
    constexpr int streams = 12;
    std::atomic<bool> done = false;
    std::atomic<int> committed = 0;
    std::vector<std::jthread> threads;
    for (int writer = 0; writer < writers; ++writer) {
        threads.emplace_back([&, writer] {
            std::minstd_rand random{static_cast<unsigned>(writer + 1)};
            auto db = connect();
            for (int i = 0; !done; ++i) {
                const auto name = "w" + std::to_string(writer) + "-" + std::to_string(i);
                const auto order = std::to_string(random() % streams);
                db.execute("BEGIN");
                append_event(db, schema_, name, "shop::order-" + order);
                if (random() % 4 == 0) std::this_thread::sleep_for(std::chrono::milliseconds{random() % 8});
                const bool keep = random() % 5 != 0;
                db.execute(keep ? "COMMIT" : "ROLLBACK");
                if (keep) ++committed;
            }
        });
    }
    std::map<std::string, sequence> last_of_stream;
    std::set<std::string> seen;
    const auto look = [&] {
        const auto batch = lane_.rows->due(grant_, "partner", cursor_, 50);
        horizon_ = batch.horizon;
        for (const auto& row : batch.rows) {
            EXPECT_TRUE(seen.insert(row.event.message_id).second) << row.event.message_id << " twice";
            EXPECT_LT(last_of_stream[row.event.stream], row.seq) << row.event.stream << " out of order";
            last_of_stream[row.event.stream] = row.seq;
            cursor_ = std::max(cursor_, row.seq);
        }
        if (batch.rows.empty()) return false;
        EXPECT_EQ(lane_.rows->settle(grant_, "partner", published(batch.rows), cursor_), settle_outcome::settled);
        return true;
    };
    const auto end = std::chrono::steady_clock::now() + 3s;
    while (std::chrono::steady_clock::now() < end) static_cast<void>(look());
    done = true;
    threads.clear();
    EXPECT_TRUE(eventually([&] { return !look() && !horizon_; }));
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(committed.load()));
    EXPECT_GT(committed, 100);
}

}  // namespace
}  // namespace sluice::store::postgresql_test
