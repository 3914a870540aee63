#include <functional>
#include <future>

#include "integration/postgresql/open_commit.hpp"
#include "integration/postgresql/postgresql_fixture.hpp"

/// Only writers of one stream wait for each other, whatever the number of streams that one of them writes to.
namespace sluice::store::postgresql_test {
namespace {

using ::testing::ElementsAre;
using ::testing::Le;

class stream_locks : public postgresql_ready {
protected:
    stream_locks() {
        auto with = options();
        with.lock_timeout = 30s;
        store_ = open_database(std::move(with));
    }
    /// An application's own transaction, as it enqueues one event after the other; it does not end.
    void enqueue_to(int streams) {
        const postgresql::commit_statements sql{schema_};
        own_.execute("BEGIN");
        own_.execute("PREPARE lock_one_more (text) AS " + sql.lock_one_more.sql);
        for (int i = 0; i < streams; ++i) {
            const auto name = std::to_string(i);
            own_.execute("EXECUTE lock_one_more ('shop::order-" + name + "')");
            append_event_unlocked(own_, schema_, "own-" + name, "shop::order-" + name);
        }
    }
    /// Waits until somebody waits for the transaction that does not end, and says for what.
    [[nodiscard]] std::string awaited_of_own() {
        const auto pid = own_.scalar("SELECT pg_backend_pid()");
        std::string found;
        static_cast<void>(eventually([&] {
            const auto all = connect().column("SELECT wait_event FROM pg_stat_activity WHERE " + pid +
                                              " = ANY (pg_blocking_pids(pid))");
            if (!all.empty()) found = all.front();
            return !all.empty();
        }));
        return found;
    }
    /// The first writer of a stream is in the middle of its transaction when `second` writes to the same stream.
    void expect_that_it_waits_before_it_draws_a_number(const std::function<void()>& second) {
        own_.execute("BEGIN");
        append_event(own_, schema_, "first", "shop::order-0");
        auto waiting = std::async(std::launch::async, second);
        EXPECT_EQ(awaited_of_own(), "advisory");
        own_.execute("COMMIT");
        EXPECT_NO_THROW(waiting.get());
        EXPECT_THAT(messages_of("0"), ElementsAre("first", "second"));
        EXPECT_EQ(scalar("SELECT max(seq) - min(seq) + 1 - count(*) FROM event_log"), "0")
            << "the second was refused and tried again";
    }
    [[nodiscard]] std::vector<std::string> messages_of(const std::string& order) const {
        return connect().column("SELECT message_id FROM event_log WHERE stream = 'shop::order-" + order +
                                "' ORDER BY position");
    }

    session own_ = connect();
};

TEST_F(stream_locks, are_few_and_keep_no_stranger_waiting) {
    enqueue_to(300);
    EXPECT_THAT(std::stoi(scalar("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = " +
                                 own_.scalar("SELECT pg_backend_pid()"))),
                Le(70));
    auto with = options();
    with.lock_timeout = 1s;
    const auto impatient = open_database(std::move(with));
    const auto unit = impatient->open_unit();
    std::vector<event_write> events;
    for (int i = 0; i < 300; ++i) events.push_back(event("m-" + std::to_string(i), "other-" + std::to_string(i)));
    EXPECT_NO_THROW(commit(*unit, std::move(events)));
    for (int i = 0; i < 20; ++i) {
        EXPECT_NO_THROW(commit(*unit, {event("n-" + std::to_string(i), "third-" + std::to_string(i))}));
    }
}

TEST_F(stream_locks, or_the_index_let_a_second_writer_of_a_stream_wait_and_then_follow) {
    enqueue_to(100);
    std::vector<std::future<void>> seconds;
    for (const std::string order : {"0", "99"}) {  // one with a lock and one without
        seconds.push_back(std::async(std::launch::async,
                                     [this, order] { commit(*store_->open_unit(), {event("m-" + order, order)}); }));
    }
    const auto pid = own_.scalar("SELECT pg_backend_pid()");
    EXPECT_TRUE(eventually([&] {
        return scalar("SELECT count(*) FROM pg_stat_activity WHERE " + pid + " = ANY (pg_blocking_pids(pid))") == "2";
    })) << "they do not wait";
    own_.execute("COMMIT");
    for (auto& each : seconds) each.get();
    EXPECT_THAT(messages_of("0"), ElementsAre("own-0", "m-0"));
    EXPECT_THAT(messages_of("99"), ElementsAre("own-99", "m-99"));
}

TEST_F(stream_locks, keep_a_unit_with_one_event_in_order) {
    expect_that_it_waits_before_it_draws_a_number([&] { commit(*store_->open_unit(), {event("second", "0")}); });
}

TEST_F(stream_locks, keep_a_command_with_a_new_aggregate_in_order) {
    expect_that_it_waits_before_it_draws_a_number(
        [&] { commit(*store_->open_unit(), {event("second", "0")}, {insert("0")}); });
}

TEST_F(stream_locks, keep_a_command_that_changes_an_aggregate_in_order) {
    commit(*store_->open_unit(), {}, {insert("0")});
    expect_that_it_waits_before_it_draws_a_number(
        [&] { commit(*store_->open_unit(), {event("second", "0")}, {update("0", 1)}); });
}

TEST_F(stream_locks, keep_a_command_that_removes_an_aggregate_in_order) {
    commit(*store_->open_unit(), {}, {insert("0")});
    state_write gone = update("0", 1);
    gone.what = state_write::operation::remove;
    expect_that_it_waits_before_it_draws_a_number(
        [&] { commit(*store_->open_unit(), {event("second", "0")}, {gone}); });
}

TEST_F(stream_locks, keep_a_unit_with_several_events_in_order) {
    expect_that_it_waits_before_it_draws_a_number([&] {
        commit(*store_->open_unit(), {event("second", "0"), event("elsewhere", "1")});
    });
}

TEST_F(stream_locks, keep_an_applications_own_transaction_in_order) {
    expect_that_it_waits_before_it_draws_a_number([&] {
        auto other = connect();
        other.execute("BEGIN");
        other.execute("PREPARE lock_one_more (text) AS " + postgresql::commit_statements{schema_}.lock_one_more.sql);
        other.execute("EXECUTE lock_one_more ('shop::order-0')");
        append_event_unlocked(other, schema_, "second", "shop::order-0");
        other.execute("COMMIT");
    });
}

}  // namespace
}  // namespace sluice::store::postgresql_test
