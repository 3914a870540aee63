#include <atomic>
#include <fstream>

#include "base/random.hpp"
#include "broker/inline/inline_broker.hpp"
#include "commit/environment.hpp"
#include "engine/engine.hpp"
#include "integration/cli_program.hpp"
#include "integration/postgresql/postgresql_fixture.hpp"
#include "store/postgresql/lane_sql.hpp"
#include "support/captured_log.hpp"
#include "support/post_office.hpp"
#include "support/temporary_directory.hpp"

/// What only a store on a server can get wrong: other processes, rights, zones, locks, limits.
namespace sluice::store::postgresql_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using postgresql_store = postgresql_fixture;

TEST_F(postgresql_store, says_what_to_do_about_a_database_that_was_not_set_up) {
    const auto store = open_database();
    EXPECT_THAT(error_of([&] { static_cast<void>(store->open_unit()); }),
                AllOf(HasSubstr("has no Sluice tables"), HasSubstr("sluice db setup")));
    EXPECT_THAT(error_of([&] { static_cast<void>(store->identity()); }), HasSubstr("sluice db setup"));
    EXPECT_EQ(store->schema().applied, 0);
    EXPECT_THAT(store->schema().pending, Not(IsEmpty()));
    store->setup();
    EXPECT_TRUE(store->open_unit()) << "it is asked again";
}

TEST_F(postgresql_store, says_what_to_do_when_it_cannot_connect) {
    auto nobody = options();
    nobody.conninfo = "postgresql://me:s3cret@127.0.0.1:1/shop";
    const auto text = error_of([&] { static_cast<void>(open_database(nobody)->open_unit()); });
    EXPECT_THAT(text, AllOf(HasSubstr("cannot connect to postgresql shop at 127.0.0.1:1"), HasSubstr("refused"),
                            Not(HasSubstr("s3cret"))));
    nobody.conninfo = uri_ + "_of_nobody";
    try {
        static_cast<void>(open_database(nobody)->open_unit());
        FAIL();
    } catch (const store_error& e) {
        EXPECT_EQ(e.nature(), error_nature::outage) << e.what();
        EXPECT_THAT(e.what(), HasSubstr("does not exist"));
    }
}

TEST_F(postgresql_store, refuses_a_schema_newer_than_itself) {
    const auto store = open_database();
    store->setup();
    connect().execute("INSERT INTO sluice_migration VALUES (999, 'from the future', now())");
    EXPECT_THAT(error_of([&] { store->setup(); }), AllOf(HasSubstr("999"), HasSubstr("newer")));
    EXPECT_THAT(error_of([&] { static_cast<void>(open_database()->open_lane()); }), HasSubstr("newer"));
}

TEST_F(postgresql_store, tells_of_a_table_that_is_gone_how_to_get_it_back) {
    const auto store = open_database();
    store->setup();
    connect().execute("DROP TABLE inbox");
    EXPECT_THAT(error_of([&] { static_cast<void>(store->open_unit()->is_marked("m", "h")); }),
                HasSubstr("sluice db setup"));
}

TEST_F(postgresql_store, may_be_set_up_by_several_processes_at_once) {
    std::atomic<int> failures = 0;
    {
        std::vector<std::jthread> processes;
        for (int i = 0; i < 6; ++i) {
            processes.emplace_back([&] {
                try {
                    open_database()->setup();
                } catch (const error& e) {
                    ADD_FAILURE() << e.what();
                    ++failures;
                }
            });
        }
    }
    EXPECT_EQ(failures, 0);
    EXPECT_EQ(scalar("SELECT count(*) = max(number) FROM sluice_migration"), "t");
    EXPECT_EQ(scalar("SELECT count(*) FROM sluice_meta"), "1");
}

TEST_F(postgresql_store, has_the_tables_that_people_query) {
    const auto store = open_database();
    store->setup();
    commit(*store->open_unit(), {event("m-1")}, {insert("o-1")});
    EXPECT_EQ(scalar("SELECT string_agg(target_broker || '=' || status, ',' ORDER BY target_broker)"
                     " FROM outbox WHERE message_id = 'm-1'"),
              "default=pending,partner=pending");
    EXPECT_EQ(scalar("SELECT data ->> 'order_id' FROM event_log"), "o-1");
    EXPECT_EQ(scalar("SELECT count(*) FROM information_schema.columns WHERE table_schema = '" + schema_ +
                     "' AND data_type = 'timestamp without time zone'"),
              "0");
    EXPECT_THROW(connect().execute("UPDATE outbox SET status = 'sent'"), std::runtime_error);
    EXPECT_THROW(
        connect().execute("INSERT INTO outbox SELECT 'partner', seq, message_id, stream, 'sent' FROM event_log"),
        std::runtime_error);
}

// The server of the tests lives in Kolkata, half an hour off every whole zone.
TEST_F(postgresql_store, keeps_times_whatever_zone_the_session_has) {
    const auto store = open_database();
    store->setup();
    auto write = event("m-1");
    write.event.created_at = date_time::parse("2026-11-23T08:00:00.613701Z");
    commit(*store->open_unit(), {write});
    EXPECT_EQ(scalar("SELECT to_char(created_at AT TIME ZONE 'UTC', 'HH24:MI:SS.US') FROM event_log"),
              "08:00:00.613701");
    const auto elsewhere =
        open_database({.conninfo = uri_ + "?options=-c%20timezone%3DAmerica/New_York", .schema = schema_});
    EXPECT_EQ(elsewhere->open_operations()->event("m-1")->created_at, write.event.created_at);
}

TEST_F(postgresql_store, works_under_defaults_that_are_against_it) {
    const auto store = open_database({.conninfo = uri_ + "?options=-c%20default_transaction_isolation%3Dserializable"
                                                         "%20-c%20search_path%3Dnowhere%20-c%20datestyle%3DGerman",
                                      .schema = schema_});
    store->setup();
    const auto unit = store->open_unit();
    commit(*unit, {event("m-1"), event("m-2")}, {insert("o-1")});
    commit(*unit, {event("m-3")}, {update("o-1", 1)});
    const auto lane = store->open_lane();
    EXPECT_THAT(ids(lane.rows->due(take(lane), "partner", 0, 10)), ::testing::ElementsAre("m-1", "m-2", "m-3"));
}

TEST_F(postgresql_store, commits_durably_whatever_role_and_database_say) {
    open_database()->setup();
    auto admin = connect();
    admin.execute("CREATE TABLE seen (v text)");
    admin.execute("CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql SET search_path = " + schema_ +
                  " AS $$ BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN new; END $$");
    admin.execute("CREATE TRIGGER look BEFORE INSERT ON event_log FOR EACH ROW EXECUTE FUNCTION look()");
    int events = 0;
    for (const auto& [given, expected] : std::vector<std::pair<std::string, std::string>>{
             {"off", "on"}, {"local", "on"}, {"remote_write", "on"}, {"on", "on"}, {"remote_apply", "remote_apply"}}) {
        const auto store =
            open_database({.conninfo = uri_ + "?options=-c%20synchronous_commit%3D" + given, .schema = schema_});
        commit(*store->open_unit(), {event("m-" + std::to_string(++events))});
        EXPECT_EQ(admin.scalar("DELETE FROM seen RETURNING v"), expected) << given;
    }
}

TEST_F(postgresql_store, tells_of_settings_that_break_its_promises) {
    const auto store = open_database();
    store->setup();
    EXPECT_THAT(store->weaknesses(), IsEmpty());
    connect().execute("ALTER TABLE outbox_row SET UNLOGGED");
    const auto frozen =
        open_database({.conninfo = uri_ + "?options=-c%20default_transaction_read_only%3Don", .schema = schema_});
    std::vector<std::string> codes;
    for (const auto& each : frozen->weaknesses()) codes.push_back(each.code);
    EXPECT_THAT(codes, ::testing::ElementsAre("DATABASE_READ_ONLY", "DATABASE_UNLOGGED_TABLE"));
}

/// A server, a database or a role that somebody made fast.
class dangerous_setting : public ::testing::Test {
protected:
    dangerous_setting() {
        store_->setup();
        session admin{server_.uri()};
        admin.execute("ALTER SYSTEM SET fsync = off");
        admin.execute("ALTER SYSTEM SET full_page_writes = off");
        admin.execute("ALTER DATABASE test SET synchronous_commit = off");
        admin.execute("SELECT pg_reload_conf()");
        EXPECT_TRUE(eventually([&] { return admin.scalar("SHOW full_page_writes") == "off"; }));
    }

    testing::postgresql::server server_ = testing::postgresql::server::own();
    std::shared_ptr<database> store_ = make_postgresql_database({.conninfo = server_.uri()});
};

TEST_F(dangerous_setting, is_told_with_its_remedy_by_check_and_at_the_start) {
    const std::vector<std::pair<const char*, const char*>> told{
        {"DATABASE_WITHOUT_FSYNC", "set fsync = on"},
        {"DATABASE_WITHOUT_FULL_PAGES", "set full_page_writes = on"},
        {"DATABASE_ASYNCHRONOUS_COMMIT", "set synchronous_commit = on"}};

    const sluice::testing::temporary_directory directory;
    std::ofstream{directory / "domain.toml"} << "[databases.default]\nprovider = \"postgresql\"\ndatabase_uri = \""
                                             << server_.uri() << "\"\n[brokers.default]\nprovider = \"inline\"\n";
    const auto checked =
        sluice::testing::run_sluice({"check", "--domain", TINY_DOMAIN}, {.directory = directory.path()});

    domain post = post::make_domain(std::make_shared<post::script>());
    commit::adapters parts;
    parts.databases.emplace("default", store_);
    parts.brokers.emplace("default", broker::make_inline_broker("default"));
    commit::environment env{post.declared(), config::configuration{}, parts, system_clock(), base::system_random()};
    sluice::testing::captured_log log;
    engine::engine{env}.start();
    const auto at_start = log.text();

    for (const auto& [code, remedy] : told) {
        EXPECT_THAT(checked.out, AllOf(HasSubstr(code), HasSubstr(remedy))) << checked.err;
        EXPECT_THAT(at_start, AllOf(HasSubstr(code), HasSubstr(remedy)));
    }
}

TEST_F(postgresql_store, shows_no_value_that_the_server_quotes) {
    const auto store = open_database();
    store->setup();
    connect().execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION"
        " 'no room: %', new.state USING DETAIL = new.state::text; END $$");
    connect().execute("CREATE TRIGGER refuse BEFORE INSERT ON aggregate_state FOR EACH ROW EXECUTE FUNCTION refuse()");
    auto secret = insert("o-1");
    secret.state = R"({"card":"s3cret"})";
    const auto told = error_of([&] { commit(*store->open_unit(), {}, {secret}); });
    EXPECT_THAT(told, AllOf(HasSubstr("no room"), HasSubstr("P0001"), Not(HasSubstr("s3cret"))));
}

TEST_F(postgresql_store, says_when_one_process_may_have_more_connections_than_the_server_has) {
    auto many = options();
    many.max_connections = 5'000;
    const auto found = open_database(many)->weaknesses();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].code, "SERVER_CONNECTIONS");
    EXPECT_THAT(found[0].message, HasSubstr("max_connections of this database is 5000, and the server has "));
}

TEST_F(postgresql_store, keeps_nobody_waiting_for_an_engine_that_hangs_while_it_chooses_an_heir) {
    open_database()->setup();
    auto engine = connect();
    const auto time_to_hang = [&] { return engine.scalar("SHOW idle_in_transaction_session_timeout"); };
    const auto usual = time_to_hang();
    engine.execute("BEGIN");
    engine.execute(postgresql::lane_statements{options().schema}.lock_shares.sql);
    EXPECT_EQ(time_to_hang(), "2s");
    engine.execute("COMMIT");
    EXPECT_EQ(time_to_hang(), usual) << "the connection may be somebody else's next";
}

TEST_F(postgresql_store, bounds_its_connections_and_says_so) {
    auto few = options();
    few.max_connections = 2;
    few.connection_wait = 100ms;
    const auto store = open_database(few);
    store->setup();
    const auto first = store->open_lane();
    {
        const auto unit = store->open_unit();
        const auto another = store->open_unit();
        commit(*unit, {event("m-1")});
        commit(*another, {event("m-2")});
    }
    const auto second = store->open_lane();
    try {
        static_cast<void>(store->open_unit()->is_marked("m", "h"));
        FAIL() << "a third connection";
    } catch (const store_error& e) {
        EXPECT_TRUE(e.retryable());
        EXPECT_THAT(e.what(), AllOf(HasSubstr("all 2 connections"), HasSubstr("max_connections")));
    }
}

TEST_F(postgresql_store, does_not_wait_for_a_lock_for_ever) {
    auto hasty = options();
    hasty.lock_timeout = 50ms;
    const auto store = open_database(hasty);
    store->setup();
    const auto unit = store->open_unit();
    commit(*unit, {}, {insert("o-1")});
    auto other = connect();
    other.execute("BEGIN");
    other.execute("SELECT FROM aggregate_state FOR UPDATE");
    try {
        commit(*unit, {event("m-1")}, {update("o-1", 1)});
        FAIL() << "there is a lock";
    } catch (const store_error& e) {
        EXPECT_TRUE(e.retryable());
        EXPECT_THAT(e.what(), HasSubstr("lock"));
    }
    other.execute("ROLLBACK");
    commit(*unit, {event("m-1")}, {update("o-1", 1)});
}

TEST_F(postgresql_store, does_not_deadlock_units_that_touch_the_same_aggregates_in_another_order) {
    const auto store = open_database();
    store->setup();
    commit(*store->open_unit(), {}, {insert("a"), insert("b")});
    std::atomic<int> deadlocks = 0;
    {
        std::vector<std::jthread> writers;
        for (int writer = 0; writer < 4; ++writer) {
            writers.emplace_back([&, writer] {
                const auto unit = store->open_unit();
                for (int i = 0; i < 40; ++i) {
                    const auto a = unit->load("Order", "a")->version + 1;
                    const auto b = unit->load("Order", "b")->version + 1;
                    const auto name = "m-" + std::to_string(writer) + "-" + std::to_string(i);
                    std::vector<state_write> states{update("a", a), update("b", b)};
                    std::vector<event_write> events{event(name + "a", "a"), event(name + "b", "b")};
                    if (writer % 2 == 0) {
                        std::swap(states[0], states[1]);
                        std::swap(events[0], events[1]);
                    }
                    try {
                        commit(*unit, events, states);
                    } catch (const expected_version_error&) {
                        continue;  // another was faster
                    } catch (const store_error& e) {
                        ADD_FAILURE() << e.what();
                        ++deadlocks;
                    }
                }
            });
        }
    }
    EXPECT_EQ(deadlocks, 0);
    EXPECT_EQ(scalar("SELECT count(*) FROM (SELECT position, lag(position) OVER (PARTITION BY stream ORDER BY seq) AS p"
                     " FROM event_log) AS log WHERE position <= p"),
              "0")
        << "position and number do not rise together";
}

TEST_F(postgresql_store, does_not_deadlock_units_that_write_the_same_keys_in_another_order) {
    const auto store = open_database();
    store->setup();
    const auto now = system_clock().now();
    constexpr int keys = 20;
    const auto batch_of = [&](const std::string& kind, bool upwards) {
        commit_batch batch{.at = now};
        for (int n = 0; n < keys; ++n) {
            const auto id = std::to_string(upwards ? n : keys - 1 - n);
            if (kind == "outcomes") batch.outcomes.push_back({.key = id, .content = "null", .expires_at = now});
            if (kind == "snapshots") batch.snapshots.push_back({.aggregate = "Order", .id = id, .state = "{}"});
            if (kind != "messages") continue;
            // Each moves half of what both write.
            batch.scheduled.push_back({.id = id, .due = now, .message = event(id)});
            if (n < keys / 2) batch.cancelled.push_back({.id = id});
        }
        return batch;
    };
    // One kind at a time: the locks of the first would keep the writers apart.
    for (const auto* kind : {"outcomes", "snapshots", "messages"}) {
        std::vector<std::jthread> writers;
        for (int writer = 0; writer < 4; ++writer) {
            writers.emplace_back([&, writer] {
                const auto unit = store->open_unit();
                for (int i = 0; i < 20; ++i) {
                    try {
                        unit->commit(batch_of(kind, writer % 2 == 0));
                    } catch (const std::runtime_error& e) {
                        ADD_FAILURE() << kind << ": " << e.what();
                    }
                }
            });
        }
    }
}

/// A commit that meets a rival's open transaction and waits for its end.
class postgresql_rivals : public postgresql_ready {
protected:
    /// @param expected  what the commit is refused with
    template <class Expected>
    void expect_refusal(const commit_batch& batch, const std::string& rival_change) {
        auto rival = connect();
        rival.execute("BEGIN");
        rival.execute(rival_change);
        std::jthread writer{[&] { EXPECT_THROW(store_->open_unit()->commit(batch), Expected); }};
        EXPECT_TRUE(eventually([&] {
            return scalar(
                       "SELECT count(*) FROM pg_locks AS l JOIN pg_stat_activity USING (pid)"
                       " WHERE NOT granted AND query LIKE '%" +
                       schema_ + "%'") != "0";
        }));
        rival.execute("COMMIT");
    }
};

TEST_F(postgresql_rivals, for_a_key_leave_it_to_the_first) {
    expect_refusal<duplicate_outcome>(
        {.outcomes = {{.key = "k", .content = "null", .expires_at = system_clock().now() + ttl}},
         .at = system_clock().now()},
        "INSERT INTO command_outcome VALUES ('k', 'c', 'f', true, now() + interval '1 h', 'null')");
}

TEST_F(postgresql_rivals, for_a_scheduled_message_leave_it_to_the_first) {
    const auto unit = store_->open_unit();
    const auto now = system_clock().now();
    unit->commit({.scheduled = {{.id = "a", .due = now, .message = event("m-1")}}, .at = now});
    expect_refusal<expected_version_error>(
        {.events = {event("m-1")}, .cancelled = {{.id = "a", .due = now}}, .at = now}, "DELETE FROM scheduled");
    EXPECT_EQ(scalar("SELECT count(*) FROM event_log"), "0");
}

TEST_F(postgresql_rivals, for_a_lease_end_the_work_under_the_former_one) {
    const auto lane = store_->open_lane();
    const auto grant = take(lane);
    expect_refusal<lease_lost>(
        {.events = {event("m-1")}, .fence = lease_fence{grant.lane, grant.epoch}, .at = system_clock().now()},
        "UPDATE lease SET epoch = epoch + 1");
    EXPECT_EQ(scalar("SELECT count(*) FROM event_log"), "0");
}

TEST_F(postgresql_rivals, for_an_expired_key_are_not_purged) {
    const auto now = system_clock().now();
    store_->open_unit()->commit({.outcomes = {{.key = "k", .content = "null", .expires_at = now}}, .at = now});
    auto rival = connect();
    rival.execute("BEGIN");
    rival.execute("UPDATE command_outcome SET expires_at = expires_at + interval '1 h'");
    EXPECT_EQ(store_->open_operations()->purge_outcomes(now + ttl, 10), 0U) << "nor waited for";
    rival.execute("COMMIT");
    EXPECT_EQ(store_->open_operations()->purge_outcomes(now + ttl, 10), 0U);
    EXPECT_EQ(scalar("SELECT count(*) FROM command_outcome"), "1");
}

TEST_F(postgresql_store, estimates_what_is_too_much_to_count) {
    const auto store = open_database();
    store->setup();
    // Two of three events are for the partner, and long published but for the last ones.
    auto db = connect();
    db.execute(R"(
        INSERT INTO outbox_row (target_broker, seq, message_id, stream, status, published_at)
        SELECT 'partner', n, 'm-' || n, 's', 'published', now() FROM generate_series(1, 240000) AS n WHERE n % 3 <> 0)");
    db.execute("SELECT setval(pg_get_serial_sequence('event_log', 'seq'), 240000)");
    const auto lane = store->open_lane();
    const auto grant = take(lane);
    commit(*store->open_unit(), {event("m-0")});
    EXPECT_EQ(ids(lane.rows->due(grant, "partner", 240'000, 1)), std::vector<std::string>{"m-0"});
    // The numbers that were passed over count as settled once nobody can fill them any more.
    ASSERT_TRUE(eventually([&] { return !lane.rows->due(grant, "partner", 240'000, 1).horizon; }));
    ASSERT_EQ(lane.rows->settle(grant, "partner", {}, 240'000), settle_outcome::settled);
    lane.lease->release(grant, {.state = "lost", .since = system_clock().now()});

    const auto counts = store->open_operations()->outbox_summary().at("partner");
    EXPECT_TRUE(counts.published_is_estimated);
    EXPECT_NEAR(static_cast<double>(counts.by_status.at(row_status::published)), 160'000, 8'000);
    EXPECT_EQ(counts.by_status.at(row_status::pending), 1) << "open rows are always counted";
}

TEST_F(postgresql_store, estimates_what_waits_where_it_is_too_much_to_count) {
    const auto store = open_database();
    store->setup();
    auto db = connect();
    // All events are for the partner, and each third for another one that has no lane.
    db.execute(R"(
        INSERT INTO outbox_broker (number, name, parts) VALUES (0, 'partner', '{101}'), (1, 'rare', '{101}');
        INSERT INTO event_log (message_id, stream, stream_category, position, type, created_at, data, metadata, targets)
        SELECT 'm-' || n, 's-' || n, 's', 0, 't', timestamptz '2026-01-01 00:00:00Z' + n * interval '1 s', '{}', '{}',
               CASE WHEN n % 3 = 0 THEN 3 ELSE 1 END FROM generate_series(1, 120000) AS n ORDER BY n)");
    // The first one is refused again and again, and the last ones wait.
    db.execute(R"(
        INSERT INTO outbox_ledger (broker, part, after, upto, count, settled_at, owner, epoch)
        VALUES (0, 101, 1, 119960, 119959, now(), 'me', 1);
        INSERT INTO outbox_row (target_broker, seq, message_id, stream, status)
        VALUES ('partner', 1, 'm-1', 's-1', 'failed'))");

    const auto summary = store->open_operations()->outbox_summary();
    const auto& partner = summary.at("partner");
    EXPECT_TRUE(partner.pending_is_estimated);
    EXPECT_EQ(partner.by_status.at(row_status::pending), 40) << "what lies behind the ledger is counted";
    EXPECT_EQ(partner.by_status.at(row_status::published), 119'959);
    EXPECT_EQ(partner.by_status.at(row_status::failed), 1);
    EXPECT_EQ(partner.oldest_open, date_time::parse("2026-01-01T00:00:01Z"));
    const auto& rare = summary.at("rare");
    EXPECT_TRUE(rare.pending_is_estimated);
    EXPECT_NEAR(static_cast<double>(rare.by_status.at(row_status::pending)), 40'000, 600);
    EXPECT_EQ(rare.oldest_open, date_time::parse("2026-01-01T00:00:03Z"));
}

TEST_F(postgresql_store, needs_one_connection_at_a_time_for_kept_messages) {
    auto few = options();
    few.max_connections = 1;
    const auto store = open_database(few);
    store->setup();
    const auto kept = store->open_kept_messages();
    const kept_message dead{.at = {.broker = "partner", .stream = "s", .group = "g"},
                            .entry = "1",
                            .key = "k",
                            .body = "a",
                            .dead_since = system_clock().now()};
    const kept_claim claim{.owner = "me", .now = system_clock().now(), .ttl = ttl};
    static_cast<void>(kept->keep({&dead, 1}, claim));
    EXPECT_EQ(kept->replay({.broker = "partner"}), 1U);
    const auto taken = kept->take(dead.at, {}, {}, claim);
    ASSERT_EQ(taken.size(), 1U);
    kept->bury({.number = taken[0].number, .key = "k"}, "me", dead);
    EXPECT_EQ(kept->purge({.broker = "partner"}), 1U);
}

}  // namespace
}  // namespace sluice::store::postgresql_test
