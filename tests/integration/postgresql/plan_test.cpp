#include <cstdlib>

#include "integration/postgresql/postgresql_fixture.hpp"
#include "store/postgresql/inside_sql.hpp"
#include "store/postgresql/lane_sql.hpp"
#include "store/postgresql/migrations.hpp"
#include "store/postgresql/sessions.hpp"
#include "store/row_sample.hpp"

/// How the server executes a lane's statements when the history is long: an index scan of the rows asked for.
namespace sluice::store::postgresql_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// 3,000,000 rows for the full proof (SLUICE_TEST_ROWS); a twentieth shows the same plans.
long history() {
    const char* const asked = std::getenv("SLUICE_TEST_ROWS");
    return asked == nullptr ? 150'000 : std::atol(asked);
}

class postgresql_plan : public postgresql_ready {
protected:
    postgresql_plan() {
        db_.execute(
            "INSERT INTO event_log (message_id, stream, stream_category, position, type, created_at, data, metadata,"
            " targets)"
            " SELECT 'm-' || n, 's-' || n % 1000, 's', n / 1000, 't', timestamptz '2026-01-01' + n * interval '1 s',"
            " json_build_object('text', repeat('x', 100)), '{}', 1 FROM generate_series(1, " +
            std::to_string(history()) + ") AS n");
        db_.execute("INSERT INTO outbox_broker (number, name, parts) VALUES (0, 'partner', '{101}')");
        db_.execute(
            "INSERT INTO outbox_ledger (broker, part, after, upto, count, settled_at, owner, epoch)"
            " SELECT 0, 101, 100 * n, 100 * n + 100, 100, now(), 'me', 1 FROM generate_series(0, " +
            std::to_string(history() / 100 - 1) + ") AS n");
        db_.execute(
            "INSERT INTO lease (lane, broker, owner, epoch, expires_at, mark, state, since) VALUES ('default:partner',"
            " 'partner', 'me', 1, now() + interval '1 h', 0, 'flowing', now())");
        for (const auto& [name, value] : postgresql::lane_use(options()).settings) {
            db_.execute("SELECT set_config('" + name + "', '" + value + "', false)");
        }
    }

    /// From all tables of the outbox, by sessions that have ended.
    [[nodiscard]] long rows_read() {
        const auto of_tables =
            " WHERE schemaname = '" + schema_ + "' AND relname IN ('outbox_row', 'event_log', 'outbox_ledger')";
        return std::stol(db_.scalar("SELECT (SELECT sum(seq_tup_read)::bigint FROM pg_stat_user_tables" + of_tables +
                                    ") + (SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes" + of_tables +
                                    ")"));
    }

    /// The plan with what it really did.
    std::string explain(const postgresql::statement& what, const std::string& types, const std::string& values) {
        const auto in_brackets = [](const std::string& list) { return list.empty() ? "" : " (" + list + ")"; };
        db_.execute("PREPARE " + what.name + in_brackets(types) + " AS " + what.sql);
        db_.execute("BEGIN");
        std::string plan;
        for (const auto& line :
             db_.column("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) EXECUTE " + what.name + in_brackets(values))) {
            plan += line + '\n';
        }
        db_.execute("ROLLBACK");
        db_.execute("DEALLOCATE " + what.name);
        return plan;
    }
    /// Pages that the whole statement touched: what its outermost node tells, and not what the planner read.
    static long pages(const std::string& plan) {
        const auto begin = plan.find("Buffers: shared ");
        if (begin > plan.find("Planning:")) return 0;
        const auto line = plan.substr(begin, plan.find('\n', begin) - begin);
        long sum = 0;
        for (const std::string word : {"hit=", "read="}) {
            if (const auto at = line.find(word); at != std::string::npos)
                sum += std::atol(line.c_str() + at + word.size());
        }
        return sum;
    }
    void expect_short(const std::string& plan, long most_pages) {
        EXPECT_THAT(plan, AllOf(Not(HasSubstr("Seq Scan on event_log")), Not(HasSubstr("Seq Scan on outbox_row")),
                                Not(HasSubstr("Seq Scan on outbox_ledger")), Not(HasSubstr("Hash Join")),
                                Not(HasSubstr("Merge Join"))));
        EXPECT_LE(pages(plan), most_pages) << plan;
    }
    /// Tells how long it took; nothing is asserted of that.
    static void tell(const char* what, const std::string& plan) {
        const auto at = plan.find("Execution Time");
        std::printf("%s at %ld published rows: %ld pages, %s", what, history(), pages(plan), plan.substr(at).c_str());
    }
    std::string last(long back) { return std::to_string(history() - back); }

    session db_ = connect();
    postgresql::lane_statements sql_{schema_};
};

/// The same history under the settings of a unit's connection, which leave the choice to the planner.
class postgresql_plan_inside : public postgresql_plan {
protected:
    postgresql_plan_inside() {
        db_.execute(
            "INSERT INTO scheduled (id, due_at, message_id, stream, stream_category, type, created_at, priority,"
            " target_brokers, data, metadata)"
            " SELECT 'id-' || n, timestamptz '2026-01-01' + n % 1000 * interval '1 s' + n * interval '1 h', 'm-' || n,"
            " 's-1', 's', 't', now(), 0, '[]', json_build_object('text', repeat('x', 100)), '{}'"
            " FROM generate_series(1, " +
            std::to_string(history()) + ") AS n");
        db_ = connect();
        for (const auto& [name, value] : postgresql::shared_use(options()).settings) {
            db_.execute("SELECT set_config('" + name + "', '" + value + "', false)");
        }
    }

    postgresql::inside_statements inside_{schema_};
};

TEST_F(postgresql_plan_inside, never_depends_on_the_length_of_the_history) {
    // Planned for the values, as the first times, and for any values, as later.
    for (const auto* mode : {"force_custom_plan", "force_generic_plan"}) {
        for (const bool analyzed : {false, true}) {
            SCOPED_TRACE(mode);
            SCOPED_TRACE(analyzed ? "with statistics" : "without statistics");
            if (analyzed) db_.execute("VACUUM ANALYZE event_log, scheduled");
            db_.execute(std::string{"SET plan_cache_mode = "} + mode);

            auto plan = explain(inside_.read_stream, "text, bigint, bigint",
                                "'s-7', " + std::to_string(history() / 1000 - 60) + ", 50");
            EXPECT_THAT(plan, AllOf(HasSubstr("event_log_position"), HasSubstr("rows=50"), Not(HasSubstr("Sort"))));
            expect_short(plan, 60);
            tell("read_stream, 50 events", plan);
            plan = explain(inside_.last_of_stream, "text", "'s-7'");
            EXPECT_THAT(plan, HasSubstr("event_log_position"));
            expect_short(plan, 10);

            plan = explain({"sluice_streams", postgresql::in_schema(postgresql::streams_sql, schema_)},
                           "text, text, text, bigint", "'s', 's-5', 's.', 100");
            EXPECT_THAT(plan, AllOf(HasSubstr("event_log_position"), HasSubstr("rows=100")));
            expect_short(plan, 1'200);
            tell("streams, 100 names", plan);

            plan = explain(inside_.due_messages, "timestamptz, bigint, timestamptz", "'2027-01-01', 50, now()");
            EXPECT_THAT(plan, AllOf(HasSubstr("scheduled_due_at"), HasSubstr("rows=50"),
                                    Not(HasSubstr("Seq Scan on scheduled"))));
            expect_short(plan, 120);
            tell("due_messages, 50 of many", plan);
            plan = explain(inside_.next_due, "", "");
            EXPECT_THAT(plan, HasSubstr("scheduled_due_at"));
            expect_short(plan, 10);
        }
    }
}

TEST_F(postgresql_plan, never_depend_on_the_length_of_the_history) {
    // As after a bulk load, before the statistics know anything, and then with them.
    for (const bool analyzed : {false, true}) {
        SCOPED_TRACE(analyzed ? "with statistics" : "without statistics");
        if (analyzed) db_.execute("VACUUM ANALYZE event_log, outbox_row, outbox_ledger, outbox_broker, lease");

        const std::string due_types =
            "text, text, bigint, text, bigint, bigint, bigint, bigint, integer, integer, bigint";
        for (const auto* const due : {&sql_.due, &sql_.due_by_weight}) {
            // An idle look at the end of the log.
            auto plan = explain(
                *due, due_types,
                "'default:partner', 'me', 1, 'partner', " + last(0) + ", 1000, " + last(0) + ", 1000, 1, 1, 8388608");
            EXPECT_THAT(plan, AllOf(HasSubstr("outbox_pkey"), HasSubstr("event_log_pkey")));
            expect_short(plan, 40);

            // 200 events at the end are open.
            plan = explain(
                *due, due_types,
                "'default:partner', 'me', 1, 'partner', " + last(200) + ", 100, " + last(200) + ", 100, 1, 1, 8388608");
            EXPECT_THAT(plan, HasSubstr("rows=100"));
            expect_short(plan, 1'500);
            tell("due, 100 rows", plan);
            // The third of four shards walks past the rows of the others, and reads the bodies of its own only.
            plan = explain(
                *due, due_types,
                "'default:partner', 'me', 1, 'partner', " + last(200) + ", 100, " + last(200) + ", 200, 3, 4, 8388608");
            EXPECT_THAT(plan, AllOf(HasSubstr("outbox_pkey"), HasSubstr("event_log_pkey")));
            expect_short(plan, 1'500);
        }
        for (const auto& [events, lines] : {std::pair{0, 40}, std::pair{100, 800}}) {
            const auto plan = explain(sql_.due_at_head, "text, text, bigint, text, bigint, bigint, bigint",
                                      "'default:partner', 'me', 1, 'partner', " + last(events) + ", 128, 65536");
            EXPECT_THAT(plan, AllOf(HasSubstr("outbox_pkey"), HasSubstr("event_log_pkey")));
            expect_short(plan, lines);
            tell(events == 0 ? "due_at_head, idle" : "due_at_head, 100 rows", plan);
        }
        // Below the end of the ledger, where nothing is open.
        for (const auto* const behind : {&sql_.due_behind, &sql_.due_behind_by_weight}) {
            const auto plan = explain(*behind, due_types + ", bigint",
                                      "'default:partner', 'me', 1, 'partner', " + last(10'000) + ", 100, " + last(0) +
                                          ", 100, 1, 1, 8388608, " + last(0));
            EXPECT_THAT(plan, AllOf(HasSubstr("event_log_pkey"), HasSubstr("outbox_ledger_pkey"), HasSubstr("SetOp")));
            expect_short(plan, 1'500);
            tell("due, 10,000 published", plan);
        }
        auto plan = explain(sql_.settle,
                            "text, text, bigint, bigint, text, bigint[], text[], integer[], timestamptz[], text[],"
                            " timestamptz[], timestamptz[], text[], timestamptz",
                            "'default:partner', 'me', 1, 0, 'partner', ARRAY[" + last(3) + "," + last(2) +
                                "], '{published,published}', '{0,0}', '{NULL,NULL}', '{NULL,NULL}',"
                                " ARRAY[now(), now()], '{NULL,NULL}', '{a,b}', now()");
        EXPECT_THAT(plan, HasSubstr("event_log_pkey"));
        expect_short(plan, 150);
        plan = explain(sql_.list,
                       "text, text, bigint, text, integer, bigint, bigint, integer, integer[], timestamptz, integer[],"
                       " text, text, timestamptz",
                       "'default:partner', 'me', 1, 'partner', 101, " + last(0) + ", " + last(0) +
                           " + 200, 200, '{}',"
                           " now(), '{}', '', NULL, now()");
        EXPECT_THAT(plan, HasSubstr("outbox_pkey"));
        expect_short(plan, 60);
        plan = explain(sql_.ledger_end, "text, integer", "'partner', 101");
        EXPECT_THAT(plan, HasSubstr("outbox_ledger_pkey"));
        expect_short(plan, 20);

        plan = explain(sql_.late, "text, bigint[], bigint[], bigint, integer, integer, bigint",
                       "'partner', ARRAY[" + last(90) + "], ARRAY[" + last(85) + "], 100, 1, 2, 8388608");
        expect_short(plan, 120);

        // One stream of many, caught up near its end.
        plan = explain(sql_.due_in_stream, "text, text, bigint, text, text, bigint, bigint, bigint, bigint",
                       "'default:partner', 'me', 1, 'partner', 's-7', " + std::to_string(history() - 1993 - 1000) +
                           ", " + last(0) + ", 100, 8388608");
        EXPECT_THAT(plan, HasSubstr("event_log_position"));
        expect_short(plan, 120);
        tell("due_in_stream", plan);

        plan = explain(sql_.look, "text", "'default:partner'");
        expect_short(plan, 20);
    }
}

TEST_F(postgresql_plan, purge_walks_a_bounded_piece_of_the_index) {
    db_.execute("UPDATE lease SET mark = " + last(0));
    db_.execute(
        "INSERT INTO outbox_row (target_broker, seq, message_id, stream, status, published_at)"
        " SELECT 'partner', seq, message_id, stream, 'published', created_at FROM event_log WHERE seq <= 20000");
    auto plan = explain(
        sql_.purge,
        "text, text, bigint, text, timestamptz, timestamptz, bigint, bigint, bigint, integer, integer, timestamptz",
        "'default:partner', 'me', 1, 'partner', '2027-01-01', '2027-01-01', 5000, 500, 100, 1, 2, now()");
    EXPECT_THAT(plan, AllOf(HasSubstr("outbox_pkey"), HasSubstr("event_log_pkey")));
    expect_short(plan, 3'500);
    tell("purge, 100 of 500 looked at", plan);
    plan = explain(sql_.purge_ledger, "text, text, bigint, text, timestamptz, bigint, timestamptz, integer",
                   "'default:partner', 'me', 1, 'partner', now() + interval '1 h', 1000, now(), 101");
    EXPECT_THAT(plan, HasSubstr("outbox_ledger_pkey"));
    expect_short(plan, 3'500);
    tell("purge of the ledger, 1,000 events", plan);
}

TEST_F(postgresql_plan, counting_reads_the_ledger_and_what_lies_above_the_mark) {
    db_.execute("DELETE FROM outbox_ledger WHERE upto = " + last(0));
    db_.execute("UPDATE lease SET mark = " + last(100));
    const auto read = [&] { return rows_read(); };
    db_ = connect();  // a session that ends tells the statistics what it has read
    store_ = open_database();
    static_cast<void>(store_->identity());
    ASSERT_TRUE(eventually([&] { return read() >= 1; })) << "nothing is known of the deletion above";
    const auto before = read();
    const auto begin = std::chrono::steady_clock::now();
    const auto counts = store_->open_operations()->outbox_summary().at("partner");
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    store_.reset();
    ASSERT_TRUE(eventually([&] { return read() > before; }));
    EXPECT_LT(read() - before, history() / 100 + 1'000);
    EXPECT_EQ(counts.by_status.at(row_status::pending), 100);
    EXPECT_EQ(counts.by_status.at(row_status::published), history() - 100);
    EXPECT_FALSE(counts.published_is_estimated);
    std::printf("outbox summary at %ld published events: %ld rows read, %.1f ms\n", history(), read() - before,
                took.count());
}

TEST_F(postgresql_plan, listing_the_rows_of_one_stream_reads_that_stream) {
    db_.execute("ANALYZE event_log");
    db_ = connect();  // a session that ends tells the statistics what it has read
    store_ = open_database();
    const auto before = rows_read();
    const auto rows = store_->open_operations()->list({.stream = "s-7", .limit = 1'000});
    EXPECT_EQ(rows.size(), static_cast<std::size_t>(history() / 1'000));
    store_.reset();
    ASSERT_TRUE(eventually([&] { return rows_read() > before; }));
    EXPECT_LT(rows_read() - before, history() / 20);
}

TEST_F(postgresql_plan, settling_writes_a_record_for_each_batch_and_touches_nothing_else) {
    db_.execute("DELETE FROM outbox_ledger WHERE upto > " + last(20'000));
    db_.execute("UPDATE lease SET mark = " + last(20'000) + ", owner = ''");
    const auto store = open_database();
    const auto lane = store->open_lane();
    auto grant = lane.lease->acquire("default:partner", "me", system_clock().now(), ttl);
    ASSERT_TRUE(grant);
    sequence cursor = grant->mark;
    for (;;) {
        const auto batch = lane.rows->due(*grant, "partner", cursor, 1000);
        if (batch.rows.empty()) break;
        cursor = batch.rows.back().seq;
        ASSERT_EQ(lane.rows->settle(*grant, "partner", published(batch.rows), cursor), settle_outcome::settled);
    }
    ASSERT_EQ(cursor, history());
    EXPECT_EQ(db_.scalar("SELECT count(*) FROM outbox_ledger WHERE upto > " + last(20'000)), "20");
    EXPECT_EQ(db_.scalar("SELECT count(*) FROM outbox_row"), "0");
    EXPECT_EQ(db_.scalar("SELECT count(*) FROM event_log WHERE xmin <> (SELECT xmin FROM event_log WHERE seq = 1)"),
              "0");
}

TEST_F(postgresql_plan_inside, the_outbox_answers_by_index) {
    db_.execute("DELETE FROM outbox_ledger WHERE upto = " + last(0));
    db_.execute("UPDATE lease SET mark = " + last(100));
    db_.execute(
        "INSERT INTO outbox_row (target_broker, seq, message_id, stream, status) SELECT 'partner', seq, message_id,"
        " stream, CASE WHEN seq = " +
        last(50) + " THEN 'failed' ELSE 'published' END FROM event_log WHERE seq <= " + last(10'000) +
        " OR seq = " + last(50));
    for (const bool analyzed : {false, true}) {
        if (analyzed) db_.execute("VACUUM ANALYZE event_log, outbox_row, outbox_ledger, outbox_broker, lease");
        for (const auto& [back, status] :
             std::vector<std::pair<long, std::string>>{{5'000, "published"}, {50, "failed"}, {0, "pending"}}) {
            const auto question =
                "SELECT target_broker || '=' || status FROM outbox WHERE message_id = 'm-" + last(back) + "'";
            EXPECT_EQ(db_.scalar(question), "partner=" + status);
            const auto plan = explain({"sluice_question", question}, "", "");
            expect_short(plan, 80);
            tell("outbox by message_id", plan);
        }
        const auto plan = explain({"sluice_question", "SELECT seq FROM outbox WHERE status = 'failed'"}, "", "");
        EXPECT_LE(pages(plan), 40) << plan;
    }
}

}  // namespace
}  // namespace sluice::store::postgresql_test
