#include <cstdlib>

#include "integration/postgresql/postgresql_fixture.hpp"
#include "store/postgresql/lane_sql.hpp"
#include "store/postgresql/sessions.hpp"

/// How the server executes a lane's statements when the history is long: an index scan of the rows asked for.
namespace sluice::store::postgresql_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// 3,000,000 rows for the full proof (SLUICE_TEST_ROWS); a tenth shows the same plans.
long history() {
    const char* const asked = std::getenv("SLUICE_TEST_ROWS");
    return asked == nullptr ? 300'000 : std::atol(asked);
}

class postgresql_plan : public postgresql_ready {
protected:
    postgresql_plan() {
        db_.execute(
            "INSERT INTO event_log (message_id, stream, stream_category, position, type, created_at, data, metadata)"
            " SELECT 'm-' || n, 's-' || n % 1000, 's', n / 1000, 't', timestamptz '2026-01-01' + n * interval '1 s',"
            " json_build_object('text', repeat('x', 100)), '{}' FROM generate_series(1, " +
            std::to_string(history()) + ") AS n");
        db_.execute(
            "INSERT INTO outbox (target_broker, seq, message_id, stream, status, published_at)"
            " SELECT 'partner', seq, message_id, stream, 'published', created_at FROM event_log ORDER BY seq");
        db_.execute(
            "INSERT INTO lease (lane, broker, owner, epoch, expires_at, mark, state, since) VALUES ('default:partner',"
            " 'partner', 'me', 1, now() + interval '1 h', 0, 'flowing', now())");
        for (const auto& [name, value] : postgresql::lane_use(options()).settings) {
            db_.execute("SELECT set_config('" + name + "', '" + value + "', false)");
        }
    }

    /// The plan with what it really did.
    std::string explain(const postgresql::statement& what, const std::string& types, const std::string& values) {
        db_.execute("PREPARE " + what.name + " (" + types + ") AS " + what.sql);
        db_.execute("BEGIN");
        std::string plan;
        for (const auto& line :
             db_.column("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) EXECUTE " + what.name + " (" + values + ")")) {
            plan += line + '\n';
        }
        db_.execute("ROLLBACK");
        db_.execute("DEALLOCATE " + what.name);
        return plan;
    }
    /// Pages that the whole statement touched.
    static long pages(const std::string& plan) {
        const auto at = plan.find("shared hit=");
        const auto line = plan.substr(at, plan.find('\n', at) - at);
        long sum = std::atol(line.c_str() + std::string{"shared hit="}.size());
        if (const auto read = line.find("read="); read != std::string::npos) sum += std::atol(line.c_str() + read + 5);
        return sum;
    }
    void expect_short(const std::string& plan, long most_pages) {
        EXPECT_THAT(plan, AllOf(Not(HasSubstr("Seq Scan on event_log")), Not(HasSubstr("Seq Scan on outbox")),
                                Not(HasSubstr("Hash Join")), Not(HasSubstr("Merge Join"))));
        EXPECT_LE(pages(plan), most_pages) << plan;
    }
    std::string last(long back) { return std::to_string(history() - back); }

    session db_ = connect();
    postgresql::lane_statements sql_{schema_};
};

TEST_F(postgresql_plan, never_depend_on_the_length_of_the_history) {
    // As after a bulk load, before the statistics know anything, and then with them.
    for (const bool analyzed : {false, true}) {
        SCOPED_TRACE(analyzed ? "with statistics" : "without statistics");
        if (analyzed) db_.execute("VACUUM ANALYZE event_log, outbox, lease");

        // An idle look at the end of the log.
        auto plan = explain(sql_.due, "text, text, bigint, text, bigint, bigint, bigint, bigint",
                            "'default:partner', 'me', 1, 'partner', " + last(0) + ", 1000, " + last(0) + ", 1000");
        EXPECT_THAT(plan, AllOf(HasSubstr("outbox_pkey"), HasSubstr("event_log_pkey")));
        expect_short(plan, 40);

        // 200 open rows at the end.
        db_.execute("UPDATE outbox SET status = 'pending' WHERE target_broker = 'partner' AND seq > " + last(200));
        plan = explain(sql_.due, "text, text, bigint, text, bigint, bigint, bigint, bigint",
                       "'default:partner', 'me', 1, 'partner', " + last(200) + ", 100, " + last(200) + ", 100");
        EXPECT_THAT(plan, HasSubstr("rows=100"));
        expect_short(plan, 1'500);
        plan = explain(sql_.settle,
                       "text, text, bigint, bigint, text, bigint[], text[], integer[], timestamptz[], text[],"
                       " timestamptz[], timestamptz[], text[]",
                       "'default:partner', 'me', 1, 0, 'partner', ARRAY[" + last(3) + "," + last(2) +
                           "], '{published,published}', '{0,0}', '{NULL,NULL}', '{NULL,NULL}', ARRAY[now(), now()],"
                           " '{NULL,NULL}', '{a,b}'");
        EXPECT_THAT(plan, HasSubstr("outbox_pkey"));
        expect_short(plan, 150);
        db_.execute("UPDATE outbox SET status = 'published' WHERE target_broker = 'partner' AND seq > " + last(200));

        plan = explain(sql_.late, "text, bigint[], bigint[], bigint",
                       "'partner', ARRAY[" + last(90) + "], ARRAY[" + last(85) + "], 100");
        expect_short(plan, 120);

        // One stream of many, caught up near its end.
        plan = explain(sql_.due_in_stream, "text, text, bigint, text, text, bigint, bigint, bigint",
                       "'default:partner', 'me', 1, 'partner', 's-7', " + std::to_string(history() - 1993 - 1000) +
                           ", " + last(0) + ", 100");
        EXPECT_THAT(plan, HasSubstr("event_log_position"));
        expect_short(plan, 120);

        plan = explain(sql_.look, "text", "'default:partner'");
        expect_short(plan, 20);
    }
}

TEST_F(postgresql_plan, purge_walks_a_bounded_piece_of_the_index) {
    db_.execute("UPDATE lease SET mark = " + last(0));
    const auto plan = explain(sql_.purge, "text, text, bigint, text, timestamptz, timestamptz, bigint, bigint, bigint",
                              "'default:partner', 'me', 1, 'partner', '2027-01-01', '2027-01-01', 5000, 500, 100");
    EXPECT_THAT(plan, AllOf(HasSubstr("outbox_pkey"), HasSubstr("event_log_pkey")));
    expect_short(plan, 3'500);
}

TEST_F(postgresql_plan, settling_touches_no_index) {
    const auto store = open_database();
    const auto lane = store->open_lane();
    db_.execute("UPDATE outbox SET status = 'pending', published_at = NULL WHERE seq <= 20000");
    db_.execute("VACUUM FULL outbox");
    const auto before = db_.scalar("SELECT pg_stat_get_tuples_hot_updated('outbox'::regclass)");
    auto grant = lane->acquire("default:partner", "me", system_clock().now(), ttl);
    ASSERT_TRUE(grant);
    sequence cursor = 0;
    for (;;) {
        const auto batch = lane->due(*grant, "partner", cursor, 1000);
        if (batch.rows.empty()) break;
        cursor = batch.rows.back().seq;
        ASSERT_EQ(lane->settle(*grant, "partner", published(batch.rows), cursor), settle_outcome::settled);
    }
    ASSERT_EQ(cursor, 20'000);
    EXPECT_TRUE(eventually([&] {
        return std::stol(db_.scalar("SELECT pg_stat_get_tuples_hot_updated('outbox'::regclass)")) - std::stol(before) >
               19'000;
    })) << "of 20000 updates only so many were HOT: "
        << db_.scalar("SELECT pg_stat_get_tuples_hot_updated('outbox'::regclass)");
}

}  // namespace
}  // namespace sluice::store::postgresql_test
