#include <random>
#include <span>

#include "integration/postgresql/postgresql_fixture.hpp"
#include "support/ledger_faults.hpp"

/// What becomes of an event at a broker: a row, a place in the ledger, or nothing yet.
namespace sluice::store::postgresql_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

settlement failed(sequence seq, int retry_count = 1) {
    return {.seq = seq,
            .status = row_status::failed,
            .retry_count = retry_count,
            .next_retry_at = system_clock().now(),
            .last_error = R"({"message":"no"})"};
}
settlement abandoned(sequence seq) {
    return {.seq = seq,
            .status = row_status::abandoned,
            .retry_count = 3,
            .last_error = R"({"message":"no"})",
            .abandoned_at = system_clock().now()};
}
settlement delivered(sequence seq, std::string receipt = "r") {
    return {.seq = seq, .published_at = system_clock().now(), .receipt = std::move(receipt)};
}

class ledger : public postgresql_ready {
protected:
    void TearDown() override { EXPECT_EQ(scalar(sluice::testing::ledger_faults_sql), ""); }

    [[nodiscard]] std::string scalar(const std::string& sql) { return looking_.scalar(sql); }

    void commit_events(int count) {
        for (int i = 0; i < count; ++i) {
            ++events_;
            commit(*unit_, {event("m-" + std::to_string(events_), "o-" + std::to_string(events_ % 3), {"partner"})});
        }
    }
    [[nodiscard]] settle_outcome settle(const std::vector<settlement>& outcomes, sequence mark = 0) {
        return lane_.rows->settle(grant_, "partner", outcomes, mark);
    }
    [[nodiscard]] due_batch due(sequence after, std::size_t limit = 100) {
        return lane_.rows->due(grant_, "partner", after, limit);
    }
    [[nodiscard]] bool one_waits_for_the_lease() {
        return scalar(
                   "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%lease%'"
                   " AND query LIKE '%" +
                   schema_ + "%'") == "1";
    }
    [[nodiscard]] std::string statuses() {
        return scalar("SELECT string_agg(seq || '=' || status, ' ' ORDER BY seq) FROM outbox");
    }

    std::unique_ptr<unit_session> unit_ = store_->open_unit();
    lane_session lane_ = store_->open_lane();
    lease_grant grant_ = take(lane_);
    session looking_ = [this] {
        auto db = connect();
        db.execute("SET jit = off");  // it takes a second to compile what takes a millisecond
        return db;
    }();
    int events_ = 0;
};

TEST_F(ledger, has_one_record_for_a_batch_and_the_outbox_a_line_for_each_event) {
    commit_events(5);
    ASSERT_EQ(settle({delivered(1, "7-1"), delivered(2, "7-2"), delivered(3, "7-3")}, 3), settle_outcome::settled);
    EXPECT_EQ(scalar("SELECT count(*) FROM outbox_ledger"), "1");
    EXPECT_EQ(scalar("SELECT count(*) FROM outbox_row"), "0");
    EXPECT_EQ(statuses(), "1=published 2=published 3=published 4=pending 5=pending");
    EXPECT_EQ(scalar("SELECT string_agg(receipt, ' ' ORDER BY seq) FROM outbox"), "7-1 7-2 7-3");
    EXPECT_EQ(scalar("SELECT count(*) FROM outbox WHERE published_at > now() - interval '1 h'"), "3");
    EXPECT_EQ(scalar("SELECT string_agg(status, ' ') FROM outbox WHERE message_id = 'm-2'"), "published");
}

TEST_F(ledger, shows_an_audit_what_it_has_lost_and_what_was_purged) {
    commit_events(6);
    ASSERT_EQ(settle({delivered(1), delivered(2)}, 2), settle_outcome::settled);
    ASSERT_EQ(settle({delivered(3), delivered(5)}, 3), settle_outcome::settled);
    ASSERT_EQ(settle({delivered(4)}, 5), settle_outcome::settled);
    const auto operations = store_->open_operations();
    const auto audited = [&] {
        audit_sum sum;
        for (const sequence after : {0, 3}) sum.add(operations->audit("partner", after, after + 3));
        return sum;
    };
    EXPECT_TRUE(audited().closes());
    EXPECT_EQ(audited().confirmed, 5);
    looking_.execute("UPDATE lease SET mark = 5");  // the lane may write it later

    looking_.execute("UPDATE outbox_ledger SET after = after, seqs = NULL WHERE upto = 5");
    EXPECT_EQ(audited().doubled, 1) << "4 has a row";
    looking_.execute("DELETE FROM outbox_ledger WHERE upto = 5");
    const auto sum = audited();
    EXPECT_EQ(sum.missing, 2);
    EXPECT_EQ(sum.first_missing, 3);
    looking_.execute("UPDATE outbox_broker SET floor = 5");
    EXPECT_EQ(audited().purged, 2);
    looking_.execute("UPDATE event_log SET targets = 0 WHERE seq = 1");
    EXPECT_EQ(audited().stray, 1);
    looking_.execute("UPDATE event_log SET targets = 1 WHERE seq = 1");
}

TEST_F(ledger, gives_a_row_to_what_took_another_course) {
    commit_events(6);
    ASSERT_EQ(settle({delivered(1), failed(2), delivered(3), abandoned(4), delivered(6)}, 1), settle_outcome::settled);
    EXPECT_EQ(statuses(), "1=published 2=failed 3=published 4=abandoned 5=pending 6=published");
    // What failed comes through at last, and what the ledger has gone past is still found.
    EXPECT_THAT(ids(due(1)), ElementsAre("m-2", "m-5"));
    ASSERT_EQ(settle({delivered(2), delivered(5)}, 6), settle_outcome::settled);
    EXPECT_EQ(statuses(), "1=published 2=published 3=published 4=abandoned 5=published 6=published");
    EXPECT_EQ(scalar("SELECT string_agg(seq::text, ' ' ORDER BY seq) FROM outbox_row"), "2 4 5");
    EXPECT_THAT(due(0).rows, IsEmpty());
}

TEST_F(ledger, is_written_once_however_often_a_settlement_is_repeated) {
    commit_events(4);
    const std::vector outcomes{delivered(1), delivered(2), failed(3), delivered(4)};
    ASSERT_EQ(settle(outcomes, 2), settle_outcome::settled);
    ASSERT_EQ(settle(outcomes, 2), settle_outcome::settled);
    EXPECT_EQ(statuses(), "1=published 2=published 3=failed 4=published");
    // As by a lane whose connection broke before the answer, and that has read more meanwhile.
    const auto again = open_database();
    const auto lane = again->open_lane();
    commit_events(1);
    ASSERT_EQ(lane.rows->settle(grant_, "partner",
                                std::vector{delivered(1), delivered(2), failed(3), delivered(4), delivered(5)}, 2),
              settle_outcome::settled);
    EXPECT_EQ(statuses(), "1=published 2=published 3=failed 4=published 5=published");
    // And one that thinks that it ends where it has ended before.
    commit_events(1);
    ASSERT_EQ(settle({delivered(5), delivered(6)}, 2), settle_outcome::settled);
    EXPECT_EQ(statuses(), "1=published 2=published 3=failed 4=published 5=published 6=published");
}

TEST_F(ledger, lets_what_was_delivered_win_over_a_discard_on_its_way) {
    commit_events(3);
    ASSERT_EQ(due(0).rows.size(), 3U);
    ASSERT_EQ(store_->open_operations()->discard({.target_broker = "partner"}, "no more", system_clock().now()), 3U);
    EXPECT_EQ(statuses(), "1=abandoned 2=abandoned 3=abandoned");
    ASSERT_EQ(settle({delivered(1), failed(2)}), settle_outcome::settled);
    EXPECT_EQ(statuses(), "1=published 2=abandoned 3=abandoned");
    EXPECT_THAT(due(0).rows, IsEmpty());
}

TEST_F(ledger, waits_for_a_discard_that_has_begun_before_the_settlement) {
    commit_events(2);
    ASSERT_EQ(due(0).rows.size(), 2U);
    auto operator_of = connect();
    operator_of.execute("BEGIN");
    operator_of.execute("SELECT FROM lease FOR UPDATE");
    operator_of.execute(
        "INSERT INTO outbox (target_broker, seq, message_id, stream, status, abandoned_at)"
        " SELECT 'partner', seq, message_id, stream, 'abandoned', now() FROM event_log");
    std::jthread settling{[this] { EXPECT_EQ(settle({delivered(1), delivered(2)}), settle_outcome::settled); }};
    EXPECT_TRUE(eventually([&] { return one_waits_for_the_lease(); }));
    operator_of.execute("COMMIT");
    settling.join();
    EXPECT_EQ(statuses(), "1=published 2=published");
    EXPECT_EQ(scalar("SELECT count(*) FROM outbox_row"), "0");
}

TEST_F(ledger, is_purged_without_making_what_was_published_look_pending) {
    commit_events(5);
    ASSERT_EQ(settle({delivered(1), delivered(2)}, 2), settle_outcome::settled);
    ASSERT_EQ(settle({delivered(4), failed(3)}, 2), settle_outcome::settled);
    const auto later = system_clock().now() + 1h;
    EXPECT_EQ(lane_.rows->purge(grant_, "partner", later, later, 100), 2U);
    EXPECT_EQ(statuses(), "3=failed 4=published 5=pending");
    EXPECT_EQ(scalar("SELECT floor || ' ' || confirmed FROM outbox_broker WHERE name = 'partner'"), "2 2");
    ASSERT_EQ(settle({delivered(1), delivered(2)}, 2), settle_outcome::settled) << "again, after its answer was lost";
    EXPECT_EQ(statuses(), "3=failed 4=published 5=pending");
    EXPECT_THAT(ids(due(0)), ElementsAre("m-3", "m-5"));
    const auto counts = store_->open_operations()->outbox_summary().at("partner");
    EXPECT_EQ(counts.by_status.at(row_status::published), 1);
    EXPECT_EQ(counts.by_status.at(row_status::pending), 1);
    EXPECT_EQ(counts.by_status.at(row_status::failed), 1);
}

TEST_F(ledger, is_purged_of_nothing_that_is_opened_again_meanwhile) {
    commit_events(2);
    ASSERT_EQ(settle({abandoned(1), delivered(2)}, 2), settle_outcome::settled);
    auto operator_of = connect();
    operator_of.execute("BEGIN");
    operator_of.execute("SELECT FROM lease FOR UPDATE");
    operator_of.execute("UPDATE outbox_row SET status = 'pending', abandoned_at = NULL WHERE seq = 1");
    operator_of.execute("UPDATE lease SET mark = 0, rescan = rescan + 1");
    const auto later = system_clock().now() + 1h;
    std::jthread purging{[&] { EXPECT_EQ(lane_.rows->purge(grant_, "partner", later, later, 100), 0U); }};
    EXPECT_TRUE(eventually([&] { return one_waits_for_the_lease(); }));
    operator_of.execute("COMMIT");
    purging.join();
    EXPECT_EQ(statuses(), "1=pending 2=published");
    EXPECT_EQ(scalar("SELECT floor FROM outbox_broker"), "0");
    EXPECT_THAT(ids(due(0)), ElementsAre("m-1"));
}

TEST_F(ledger, lets_nobody_wait_for_a_number_who_needs_none) {
    commit_events(1);
    auto application = connect();
    application.execute("BEGIN");
    application.execute(
        "INSERT INTO outbox (target_broker, seq, message_id, stream)"
        " SELECT 'another', seq, message_id, stream FROM event_log");
    const auto fresh = open_database();
    commit(*fresh->open_unit(), {event("m-2", "o-2", {"partner"})});
    EXPECT_THAT(ids(due(0)), ElementsAre("m-1", "m-2"));
    application.execute("ROLLBACK");
}

TEST_F(ledger, sends_history_that_is_inserted_by_hand) {
    commit_events(3);
    ASSERT_EQ(settle({delivered(1), delivered(2), delivered(3)}, 3), settle_outcome::settled);
    looking_.execute("DELETE FROM outbox_ledger");
    ASSERT_THAT(ids(due(3)), IsEmpty());
    looking_.execute(
        "INSERT INTO outbox (target_broker, seq, message_id, stream)"
        " SELECT 'partner', seq, message_id, stream FROM event_log WHERE seq = 2");
    const auto batch = due(3);
    EXPECT_NE(batch.rescan, grant_.rescan);
    EXPECT_EQ(batch.mark, 1);
    looking_.execute("UPDATE outbox_broker SET floor = 3");
}

TEST_F(ledger, takes_no_row_by_hand_for_what_is_being_settled) {
    commit_events(1);
    auto settling = connect();
    settling.execute("BEGIN");
    settling.execute("SELECT FROM lease FOR UPDATE");
    settling.execute(
        "INSERT INTO outbox_ledger (broker, part, after, upto, count, settled_at, owner, epoch)"
        " SELECT number, 101, 0, 1, 1, now(), 'me', 1 FROM outbox_broker");
    settling.execute("UPDATE outbox_broker SET parts = '{101}'");
    auto by_hand = connect();
    const auto pid = by_hand.scalar("SELECT pg_backend_pid()");
    std::string refusal;
    std::jthread inserting{[&] {
        try {
            by_hand.execute(
                "INSERT INTO outbox (target_broker, seq, message_id, stream)"
                " SELECT 'partner', seq, message_id, stream FROM event_log");
        } catch (const std::exception& e) {
            refusal = e.what();
        }
    }};
    EXPECT_TRUE(
        eventually([&] { return scalar("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = " + pid) == "1"; }));
    settling.execute("COMMIT");
    inserting.join();
    EXPECT_THAT(refusal, HasSubstr("has been published to partner"));
    EXPECT_EQ(scalar("SELECT count(*) FROM outbox_row"), "0");
}

TEST_F(ledger, keeps_from_the_lane_what_was_given_up_and_purged) {
    commit_events(3);
    ASSERT_EQ(settle({abandoned(1), delivered(2)}, 2), settle_outcome::settled);
    const auto now = system_clock().now();
    EXPECT_EQ(lane_.rows->purge(grant_, "partner", now - 1h, now + 1h, 100), 1U);
    // As when an older row is opened again.
    connect().execute("UPDATE lease SET mark = 0");
    EXPECT_THAT(ids(due(0)), ElementsAre("m-3"));
    EXPECT_EQ(statuses(), "2=published 3=pending");
}

TEST_F(ledger, has_few_records_though_events_are_sent_one_by_one) {
    constexpr sequence count = 1'001;  // of settlements until records are merged, with one that writes a row
    std::vector<event_write> events;
    for (sequence seq = 1; seq <= count; ++seq) {
        events.push_back(event("m-" + std::to_string(seq), "o-" + std::to_string(seq % 3), {"partner"}));
    }
    commit(*unit_, std::move(events));
    const auto all = [this] {
        return scalar("SELECT string_agg(seq || '=' || status || receipt, ' ' ORDER BY seq) FROM outbox");
    };
    std::string before;
    for (sequence seq = 1; seq <= count; ++seq) {
        if (seq == count) before = all();
        ASSERT_EQ(settle({seq == 20 ? abandoned(seq) : delivered(seq, "7-" + std::to_string(seq))}, seq),
                  settle_outcome::settled);
        if (seq == count - 1) {
            EXPECT_EQ(scalar("SELECT count(*) FROM outbox_ledger"), "999");
        }
    }
    EXPECT_LT(std::stol(scalar("SELECT count(*) FROM outbox_ledger")), 500) << "the stored mark lags a little";
    EXPECT_THAT(all(), ::testing::StartsWith(before.substr(0, before.size() - 20)));
    EXPECT_THAT(due(0).rows, IsEmpty());
}

TEST_F(ledger, of_another_log_does_not_hide_the_events_of_this_one) {
    commit_events(3);
    ASSERT_EQ(settle({delivered(1), delivered(2), delivered(3)}, 3), settle_outcome::settled);
    lane_.lease->release(grant_, {.state = "lost", .since = system_clock().now()});
    connect().execute("DELETE FROM event_log WHERE seq > 1; ALTER TABLE event_log ALTER COLUMN seq RESTART WITH 2");
    const auto again = take(lane_);
    EXPECT_THAT(again.other_history, HasSubstr("end of the log"));
    commit(*unit_, {event("n-2", "o-1", {"partner"}), event("n-3", "o-2", {"partner"})});
    EXPECT_THAT(ids(lane_.rows->due(again, "partner", again.mark, 10)), ElementsAre("n-2", "n-3"))
        << "what lies below the mark is found by check";
}

TEST_F(ledger, takes_rows_that_are_inserted_by_hand_or_by_a_build_of_before) {
    commit(*unit_, {event("m-1", "o-1", {})});
    auto db = connect();
    db.execute(
        "BEGIN; INSERT INTO event_log (message_id, stream, stream_category, position, type, created_at, data, metadata)"
        " VALUES ('m-2', 's', 's', 0, 't', now(), '{}', '{}');"
        " INSERT INTO outbox (target_broker, seq, message_id, stream, priority)"
        " SELECT 'partner', seq, message_id, stream, 7 FROM event_log; COMMIT");
    const auto batch = due(0);
    EXPECT_THAT(ids(batch), ElementsAre("m-1", "m-2"));
    EXPECT_EQ(batch.rows.at(1).priority, 7);
    ASSERT_EQ(settle(published(batch.rows), 2), settle_outcome::settled);
    EXPECT_EQ(statuses(), "1=published 2=published");
    events_ = 2;
    commit_events(1);
    ASSERT_EQ(due(2).rows.size(), 1U);
    ASSERT_EQ(settle({delivered(3)}, 3), settle_outcome::settled);
    EXPECT_THROW(
        db.execute("INSERT INTO outbox (target_broker, seq, message_id, stream) VALUES ('partner', 3, 'm-3', 's')"),
        std::runtime_error)
        << "it has been published";
}

TEST_F(ledger, numbers_each_broker_once_and_says_when_there_are_too_many) {
    static_cast<void>(due(0));  // the lane's own broker has a number
    std::vector<std::string> many;
    for (int i = 0; i < 62; ++i) many.push_back("b-" + std::to_string(i));
    commit(*unit_, {event("m-1", "o-1", many)});
    EXPECT_EQ(scalar("SELECT count(*) || ' ' || max(number) FROM outbox_broker"), "63 62");
    EXPECT_EQ(scalar("SELECT count(*) FROM outbox WHERE status = 'pending'"), "62");
    EXPECT_THAT(error_of([&] { commit(*unit_, {event("m-2", "o-1", {"one_more"})}); }),
                HasSubstr("all of them are in use"));
    EXPECT_EQ(scalar("SELECT count(*) FROM event_log"), "1");
}

TEST_F(ledger, is_written_for_a_broker_whose_number_was_lost_after_it_had_been_seen) {
    commit_events(1);
    // As when another database has taken the place of this one.
    connect().execute("DELETE FROM outbox_broker; DELETE FROM event_log");
    commit_events(1);
    EXPECT_EQ(scalar("SELECT string_agg(target_broker || '=' || status, ' ') FROM outbox"), "partner=pending");
}

/// The tables as the build before had them, with everything in them that there may be.
TEST_F(ledger, comes_to_tables_with_a_row_for_each_event_and_broker) {
    lane_.lease->release(grant_, {.state = "lost", .since = system_clock().now()});
    auto db = connect();
    db.execute(
        "DROP VIEW outbox; DROP FUNCTION sluice_outbox_insert; DROP TABLE outbox_ledger, outbox_broker, "
        "outbox_backfill; DROP INDEX "
        "outbox_row_open;"
        " ALTER TABLE outbox_row RENAME TO outbox; ALTER TABLE outbox ADD CONSTRAINT outbox_message_id UNIQUE "
        "(message_id, target_broker); ALTER TABLE event_log DROP COLUMN targets, DROP COLUMN priority;"
        " DELETE FROM sluice_migration WHERE number >= 11");
    db.execute(
        "INSERT INTO event_log (message_id, stream, stream_category, position, type, created_at, data, metadata)"
        " SELECT 'm-' || n, 's-' || n, 's', 0, 't', now(), '{}', '{}' FROM generate_series(1, 6) AS n");
    db.execute(
        "INSERT INTO outbox (target_broker, seq, message_id, stream, status, published_at, abandoned_at)"
        " SELECT 'partner', n, 'm-' || n, 's-' || n, status, published_at, abandoned_at FROM (VALUES"
        " (1, 'published', now(), NULL), (2, 'failed', NULL, NULL), (3, 'published', now(), NULL),"
        " (4, 'abandoned', NULL, now()), (5, 'pending', NULL, NULL), (6, 'pending', NULL, NULL))"
        " AS r (n, status, published_at, abandoned_at)");
    db.execute("UPDATE lease SET mark = 1, owner = 'the lane of before', expires_at = now() + interval '1 h'");
    const auto epoch = scalar("SELECT epoch FROM lease");

    store_->setup();
    EXPECT_EQ(scalar("SELECT owner FROM lease"), "");
    EXPECT_NE(scalar("SELECT epoch FROM lease"), epoch) << "the lane of before is shut out";
    EXPECT_EQ(statuses(), "1=published 2=failed 3=published 4=abandoned 5=pending 6=pending");
    events_ = 6;
    commit_events(2);
    grant_ = take(lane_);
    EXPECT_EQ(grant_.mark, 1);
    EXPECT_THAT(ids(due(1)), ElementsAre("m-2", "m-5", "m-6", "m-7", "m-8"));
    ASSERT_EQ(settle({delivered(2), delivered(5), delivered(6), delivered(7), delivered(8)}, 8),
              settle_outcome::settled);
    EXPECT_EQ(scalar("SELECT string_agg(status, ' ' ORDER BY seq) FROM outbox"),
              "published published published abandoned published published published published");
    EXPECT_EQ(scalar("SELECT after || ' ' || upto FROM outbox_ledger"), "6 8");
    EXPECT_EQ(store_->open_operations()->outbox_summary().at("partner").by_status.at(row_status::published), 7);
}

/// Lanes, operators and clean-ups in any order: whatever happens, each event has one fate at each broker.
TEST_F(ledger, gives_each_event_one_fate_whatever_happens) {
    for (const unsigned seed : {1U, 2U}) {
        SCOPED_TRACE(seed);
        std::mt19937 random{seed};  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same every time
        const auto one_of = [&random](int count) { return static_cast<int>(random() % static_cast<unsigned>(count)); };
        sequence cursor = grant_.mark;
        const auto operations = store_->open_operations();
        for (int step = 0; step < 60; ++step) {
            switch (one_of(8)) {
                case 0:
                    lane_.lease->release(grant_, {.state = "lost", .since = system_clock().now()});
                    grant_ = take(lane_, "partner", "me-" + std::to_string(one_of(2)));
                    cursor = grant_.mark;
                    break;
                case 1: {
                    static_cast<void>(operations->retry({.target_broker = "partner", .limit = 3}));
                    break;
                }
                case 2:
                    static_cast<void>(
                        operations->discard({.target_broker = "partner", .limit = 2}, "", system_clock().now()));
                    break;
                case 3: {
                    const auto later = system_clock().now() + 1h;
                    static_cast<void>(lane_.rows->purge(grant_, "partner", later, later, 5));
                    break;
                }
                default: {
                    commit_events(one_of(5));
                    auto batch = due(cursor, 6);
                    if (batch.rescan != grant_.rescan) {
                        grant_.rescan = batch.rescan;
                        cursor = batch.mark;
                        batch = due(cursor, 6);
                    }
                    std::vector<settlement> outcomes;
                    auto lowest_open = std::numeric_limits<sequence>::max();
                    for (const auto& row : batch.rows) {
                        cursor = std::max(cursor, row.seq);
                        switch (one_of(4)) {
                            case 0:
                                lowest_open = std::min(lowest_open, row.seq);  // in doubt: read again
                                break;
                            case 1:
                                outcomes.push_back(failed(row.seq, row.retry_count + 1));
                                lowest_open = std::min(lowest_open, row.seq);
                                break;
                            case 2:
                                outcomes.push_back(abandoned(row.seq));
                                break;
                            default: {
                                auto outcome = delivered(row.seq);
                                outcome.retry_count = row.retry_count;
                                outcomes.push_back(outcome);
                            }
                        }
                    }
                    // What waits is passed over, and the mark stays below the lowest of it.
                    const auto waiting = scalar(
                        "SELECT min(seq) FROM outbox WHERE target_broker = 'partner' AND status IN ('failed', "
                        "'pending')"
                        " AND seq <= " +
                        std::to_string(cursor));
                    if (!waiting.empty()) lowest_open = std::min(lowest_open, sequence{std::stol(waiting)});
                    const auto mark = std::min(cursor, lowest_open - 1);
                    ASSERT_EQ(settle(outcomes, std::max(mark, sequence{0})), settle_outcome::settled);
                    if (one_of(3) == 0) {
                        ASSERT_EQ(settle(outcomes, std::max(mark, sequence{0})), settle_outcome::settled);
                    }
                    if (one_of(2) == 0) cursor = mark;
                }
            }
            ASSERT_EQ(scalar(sluice::testing::ledger_faults_sql), "") << "step " << step;
        }
    }
    // In the end everything that is open is found and goes out.
    const auto open = scalar("SELECT count(*) FROM outbox WHERE status IN ('failed', 'pending')");
    lane_.lease->release(grant_, {.state = "lost", .since = system_clock().now()});
    grant_ = take(lane_);
    const auto batch = due(grant_.mark, 100'000);
    EXPECT_EQ(std::to_string(batch.rows.size()), open);
    ASSERT_EQ(settle(published(batch.rows), batch.upto), settle_outcome::settled);
    EXPECT_EQ(scalar("SELECT count(*) FROM outbox WHERE status IN ('failed', 'pending')"), "0");
}

}  // namespace
}  // namespace sluice::store::postgresql_test
