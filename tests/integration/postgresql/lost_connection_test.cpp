#include <atomic>

#include "integration/postgresql/postgresql_fixture.hpp"
#include "support/tcp_gate.hpp"

/// Whatever ends a connection loses nothing and needs no restart of ours.
namespace sluice::store::postgresql_test {
namespace {

using ::testing::HasSubstr;

class lost_connection : public postgresql_ready {
protected:
    [[nodiscard]] postgresql_options through_gate() const {
        auto with = options();
        with.conninfo = testing::postgresql::through_port(uri_, gate_.port()) + "?application_name=" + schema_;
        return with;
    }
    void terminate() const {
        session{uri_}.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '" +
                              schema_ + "'");
    }
    void terminate_all() const {
        terminate();
        EXPECT_TRUE(eventually([&] {
            return session{uri_}.scalar("SELECT count(*) FROM pg_stat_activity WHERE application_name = '" + schema_ +
                                        "'") == "0";
        }));
    }

    testing::tcp_gate gate_{testing::postgresql::server::shared().port()};
    std::unique_ptr<database> mine_ = open_database(through_gate());
};

TEST_F(lost_connection, is_not_even_noticed_between_two_calls) {
    auto without_gate = options();
    without_gate.conninfo += "?application_name=" + schema_;
    const auto direct = open_database(without_gate);
    const auto unit = direct->open_unit();
    const auto lane = direct->open_lane();
    const auto operations = direct->open_operations();
    auto grant = take(lane);
    commit(*unit, {event("m-1")});
    for (int round = 2; round < 5; ++round) {
        terminate_all();
        commit(*unit, {event("m-" + std::to_string(round))});
        terminate_all();
        EXPECT_EQ(lane.rows->due(grant, "partner", 0, 10).rows.size(), static_cast<std::size_t>(round));
        terminate_all();
        EXPECT_EQ(operations->list({.target_broker = "partner"}).size(), static_cast<std::size_t>(round));
        terminate_all();
        EXPECT_FALSE(unit->load("Order", "o-1"));
        terminate_all();
        EXPECT_TRUE(
            lane.lease->renew(grant, {.state = "flowing", .since = grant.expires_at}, system_clock().now(), ttl));
    }
}

TEST_F(lost_connection, wakes_a_sleeping_lane_which_goes_on) {
    const auto lane = mine_->open_lane();
    const auto grant = take(lane);
    static_cast<void>(lane.rows->due(grant, "partner", 0, 10));
    wake_signal signal;
    std::atomic<bool> awake = false;
    std::jthread sleeper{[&] {
        EXPECT_EQ(lane.rows->wait(signal, testing::long_enough), wake_reason::file_changed);
        awake = true;
    }};
    std::this_thread::sleep_for(30ms);
    EXPECT_FALSE(awake);
    terminate_all();
    EXPECT_TRUE(eventually([&] { return awake.load(); }));
    sleeper.join();
    commit(*store_->open_unit(), {event("m-1")});
    EXPECT_EQ(lane.rows->due(grant, "partner", 0, 10).rows.size(), 1U);
    EXPECT_EQ(lane.rows->wait(signal, 1ms), wake_reason::timed_out);
}

TEST_F(lost_connection, fails_the_call_in_flight_with_an_error_that_may_be_retried) {
    const auto unit = mine_->open_unit();
    auto other = connect();
    commit(*unit, {}, {insert("o-1")});
    other.execute("BEGIN");
    other.execute("SELECT FROM aggregate_state FOR UPDATE");
    std::atomic<bool> failed = false;
    std::jthread writer{[&] {
        try {
            commit(*unit, {event("m-1")}, {update("o-1", 1)});
            ADD_FAILURE() << "committed";
        } catch (const store_error& e) {
            EXPECT_TRUE(e.retryable()) << e.what();
            EXPECT_THAT(e.what(), HasSubstr("nothing was written"));
        }
        failed = true;
    }};
    EXPECT_TRUE(eventually([&] {
        return session{uri_}.scalar(
                   "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                   " AND application_name = '" +
                   schema_ + "'") == "1";
    }));
    terminate();
    EXPECT_TRUE(eventually([&] { return failed.load(); }));
    other.execute("ROLLBACK");
    EXPECT_EQ(scalar("SELECT count(*) FROM event_log"), "0");
    writer.join();
    commit(*unit, {event("m-1")}, {update("o-1", 1)});
}

/// The connection is cut after every possible number of bytes of the answer: before the transaction's number came,
/// between it and the commit, in the middle of the confirmation. What the caller is told is always what happened.
class lost_answer : public lost_connection, public ::testing::WithParamInterface<const char*> {
protected:
    [[nodiscard]] static commit_batch batch_of(const std::string& kind, int n) {
        const auto name = std::to_string(n);
        commit_batch batch{.at = system_clock().now()};
        if (kind == "events" || kind == "commands") batch.events = {event("m-" + name, name)};
        if (kind == "commands") batch.states = {insert("o-" + name)};
        if (kind == "states") batch.states = {insert("o-" + name)};
        if (kind == "marks") batch.marks = {{"in-" + name, "handler"}};
        if (kind == "outcomes") {
            batch.outcomes = {
                {.key = "k-" + name, .command = "c", .content = "null", .expires_at = batch.at + duration{1h}}};
        }
        if (kind == "snapshots") batch.snapshots = {{.aggregate = "Order", .id = "o-" + name, .state = "{}"}};
        if (kind == "messages") {
            batch.scheduled = {{.id = "s-" + name, .due = batch.at + duration{1h}, .message = event("m-" + name)}};
        }
        return batch;
    }
    void warm_up(unit_session& unit, const std::string& kind) {
        for (;;) {
            try {
                return unit.commit(batch_of(kind, ++warm_ups_));
            } catch (const store_error&) {
                continue;
            }
        }
    }
    int warm_ups_ = 1000;
    [[nodiscard]] bool is_there(const std::string& kind, int n) const {
        const auto name = std::to_string(n);
        if (kind == "events" || kind == "commands")
            return scalar("SELECT count(*) FROM event_log WHERE message_id = 'm-" + name + "'") == "1";
        if (kind == "states") return scalar("SELECT count(*) FROM aggregate_state WHERE id = 'o-" + name + "'") == "1";
        if (kind == "outcomes")
            return scalar("SELECT count(*) FROM command_outcome WHERE key = 'k-" + name + "'") == "1";
        if (kind == "snapshots") return scalar("SELECT count(*) FROM snapshot WHERE id = 'o-" + name + "'") == "1";
        if (kind == "messages") return scalar("SELECT count(*) FROM scheduled WHERE id = 's-" + name + "'") == "1";
        return scalar("SELECT count(*) FROM inbox WHERE message_id = 'in-" + name + "'") == "1";
    }
};
INSTANTIATE_TEST_SUITE_P(of, lost_answer,
                         ::testing::Values("events", "commands", "states", "marks", "outcomes", "snapshots",
                                           "messages"),
                         [](const auto& tested) { return std::string{tested.param}; });

TEST_P(lost_answer, is_looked_up) {
    const std::string kind = GetParam();
    const auto unit = mine_->open_unit();
    int told_committed = 0;
    int in_doubt = 0;
    for (int bytes = 1; bytes <= 160; bytes += 3) {
        // A connection that is there, with everything prepared. The last one may just be dying behind its whole answer.
        warm_up(*unit, kind);
        gate_.cut_after(static_cast<std::size_t>(bytes));
        bool committed = false;
        try {
            unit->commit(batch_of(kind, bytes));
            committed = true;
        } catch (const store_error& e) {
            EXPECT_TRUE(e.retryable() || e.in_doubt()) << e.what();
            in_doubt += e.in_doubt() ? 1 : 0;
            if (e.in_doubt()) continue;
        }
        EXPECT_EQ(is_there(kind, bytes), committed) << "cut after " << bytes << " bytes";
        told_committed += committed ? 1 : 0;
    }
    gate_.open();
    EXPECT_GT(told_committed, kind == "states" ? 20 : 40) << "the server had it all; only the answer was lost";
    // States say nothing of who wrote them: before the number of the transaction has come, nothing tells.
    EXPECT_LE(in_doubt, kind == "states" ? 30 : 0);
}

TEST_F(lost_connection, does_not_take_a_rivals_event_for_its_own) {
    // Ids are made of the aggregate and its version, so two who change the same version make the same id.
    const auto unit = mine_->open_unit();
    commit(*unit, {}, {insert("o-1")});
    commit_batch mine{
        .states = {update("o-1", 1)}, .events = {event("shop::order-o-1-1.1")}, .at = system_clock().now()};
    auto rival = connect();
    rival.execute("BEGIN");
    rival.execute("UPDATE aggregate_state SET version = 1");
    std::jthread writer{[&] {
        try {
            unit->commit(mine);
            ADD_FAILURE() << "took the rival's event for its own";
        } catch (const error& e) {
            EXPECT_TRUE(e.retryable()) << e.what();
        }
    }};
    EXPECT_TRUE(eventually([&] {
        return session{uri_}.scalar(
                   "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                   " AND application_name = '" +
                   schema_ + "'") == "1";
    }));
    rival.execute(
        "INSERT INTO event_log (message_id, stream, stream_category, position, type, created_at, data, metadata)"
        " VALUES ('shop::order-o-1-1.1', 'shop::order-o-1', 'shop::order', 0, 't', now(), '{}', '{}')");
    gate_.cut_after(1);
    rival.execute("COMMIT");
    writer.join();
    gate_.open();
}

}  // namespace
}  // namespace sluice::store::postgresql_test
