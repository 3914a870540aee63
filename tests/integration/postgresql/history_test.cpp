#include <fstream>
#include <iterator>

#include "integration/postgresql/postgresql_fixture.hpp"

/// The database that a connection leads to may have another history than it had before.
namespace sluice::store::postgresql_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class lane_history : public postgresql_ready {
protected:
    lane_history() {
        for (const char* id : {"m-1", "m-2", "m-3"}) commit(*unit_, {event(id)});
        const auto batch = lane_.rows->due(grant_, "partner", 0, 10);
        EXPECT_THAT(ids(batch), ElementsAre("m-1", "m-2", "m-3"));
        EXPECT_EQ(lane_.rows->settle(grant_, "partner", published(batch.rows), 3), settle_outcome::settled);
        EXPECT_TRUE(
            lane_.lease->renew(grant_, {.state = "idle", .since = grant_.expires_at}, system_clock().now(), ttl));
    }

    [[nodiscard]] postgresql_options named() const {
        auto with = options();
        with.conninfo += "?application_name=" + schema_;
        return with;
    }
    /// As a restored backup, or a standby that lagged: what came after `number` has never been, and every connection is
    /// cut. The next event gets the number `next`.
    void lose_all_after(int number, int next) const {
        auto sql = connect();
        const auto above = " WHERE seq > " + std::to_string(number);
        const auto end = std::to_string(number);
        sql.execute("BEGIN; DELETE FROM outbox_row" + above + "; DELETE FROM event_log" + above +
                    "; DELETE FROM outbox_ledger WHERE after >= " + end + "; UPDATE outbox_ledger SET upto = " + end +
                    ", count = " + end + " - after WHERE upto > " + end + "; UPDATE lease SET mark = least(mark, " +
                    std::to_string(number) + "); ALTER TABLE event_log ALTER COLUMN seq RESTART WITH " +
                    std::to_string(next) + "; COMMIT");
        cut();
    }
    void cut() const {
        const std::string mine = " FROM pg_stat_activity WHERE application_name = '" + schema_ + "'";
        session{uri_}.execute("SELECT pg_terminate_backend(pid)" + mine);
        EXPECT_TRUE(eventually([&] { return session{uri_}.scalar("SELECT count(*)" + mine) == "0"; }));
    }
    void expect_lost(const std::string& why) {
        EXPECT_FALSE(lane_.rows->due(grant_, "partner", 3, 10).owned);
        EXPECT_THAT(lane_.lease->lost_history(), HasSubstr(why));
        EXPECT_EQ(lane_.rows->settle(grant_, "partner", {}, 3), settle_outcome::fenced);
        EXPECT_FALSE(
            lane_.lease->renew(grant_, {.state = "idle", .since = grant_.expires_at}, system_clock().now(), ttl));
    }

    std::unique_ptr<database> mine_ = open_database(named());
    std::unique_ptr<unit_session> unit_ = mine_->open_unit();
    lane_session lane_ = mine_->open_lane();
    lease_grant grant_ = take(lane_);
};

TEST_F(lane_history, is_lost_when_the_log_ends_below_what_the_lane_has_seen) {
    lose_all_after(1, 2);
    expect_lost("the log ends at number 1, and the lane has seen 3");
    const auto again = take(lane_);
    EXPECT_EQ(again.mark, 1);
    EXPECT_THAT(again.other_history, HasSubstr("the log ends at number 1"));
    EXPECT_EQ(lane_.lease->lost_history(), "");
    commit(*unit_, {event("n-2")});
    EXPECT_THAT(ids(lane_.rows->due(again, "partner", again.mark, 10)), ElementsAre("n-2"));
}

TEST_F(lane_history, is_lost_though_its_numbers_have_gone_on_above_the_old_end) {
    lose_all_after(1, 2);
    for (const char* id : {"n-2", "n-3", "n-4"}) commit(*unit_, {event(id)});
    expect_lost("event m-3 with number 3, which the lane has seen, is not in the log");
    const auto again = take(lane_);
    EXPECT_THAT(ids(lane_.rows->due(again, "partner", again.mark, 10)), ElementsAre("n-2", "n-3", "n-4"));
}

TEST_F(lane_history, is_lost_though_an_event_of_the_same_id_has_the_same_number) {
    lose_all_after(1, 2);
    for (const char* id : {"m-2", "m-3"}) commit(*unit_, {event(id)});
    expect_lost("event m-3 with number 3");
    const auto again = take(lane_);
    EXPECT_THAT(ids(lane_.rows->due(again, "partner", again.mark, 10)), ElementsAre("m-2", "m-3"));
}

TEST_F(lane_history, is_lost_when_the_tables_are_others) {
    auto sql = connect();
    sql.execute(
        "BEGIN; CREATE TABLE restored (LIKE event_log INCLUDING ALL); INSERT INTO restored OVERRIDING SYSTEM "
        "VALUE SELECT * FROM event_log; DROP TABLE event_log CASCADE; ALTER TABLE restored RENAME TO event_log; "
        "COMMIT");
    cut();
    expect_lost("log was");
}

TEST_F(lane_history, goes_on_over_a_connection_that_was_only_cut) {
    cut();
    commit(*unit_, {event("m-4")});
    cut();
    EXPECT_THAT(ids(lane_.rows->due(grant_, "partner", 3, 10)), ElementsAre("m-4"));
    EXPECT_EQ(lane_.lease->lost_history(), "");
}

TEST_F(lane_history, is_compared_with_the_one_of_the_last_owner_and_the_mark_is_checked) {
    connect().execute(
        "UPDATE lease SET history = 'system=1', owner = ''; UPDATE outbox_ledger SET upto = 1, count = 1");
    const auto faults = store_->faults(1000);
    ASSERT_EQ(faults.size(), 2U);
    EXPECT_THAT(faults[0].message, AllOf(HasSubstr("default:partner"), HasSubstr("system was 1 and is ")));
    EXPECT_EQ(faults[1].code, "OPEN_BELOW_MARK");
    const auto next = take(lane_, "partner", "you");
    EXPECT_THAT(next.other_history, HasSubstr("system was 1 and is "));
    EXPECT_EQ(next.reopened, 2U);
    EXPECT_EQ(next.mark, 1);
    EXPECT_THAT(ids(lane_.rows->due(next, "partner", next.mark, 10)), ElementsAre("m-2", "m-3"));
    EXPECT_THAT(store_->faults(1000), IsEmpty());
}

TEST_F(lane_history, begins_at_the_end_of_a_log_that_is_shorter_than_the_mark) {
    connect().execute("UPDATE lease SET mark = 900, owner = ''");
    const auto next = take(lane_, "partner", "you");
    EXPECT_EQ(next.mark, 3);
    EXPECT_THAT(next.other_history, HasSubstr("the mark 900 is behind the end of the log"));
}

class sequence_of_the_log : public postgresql_ready {
protected:
    sequence_of_the_log() {
        commit(*store_->open_unit(), {event("m-1"), event("m-2", "o-2")});
        connect().execute("ALTER TABLE event_log ALTER COLUMN seq RESTART WITH 1");
    }
};

TEST_F(sequence_of_the_log, that_is_behind_its_table_is_found_with_the_remedy) {
    const auto faults = store_->faults(0);
    ASSERT_EQ(faults.size(), 1U);
    EXPECT_EQ(faults.front().code, "SEQUENCE_BEHIND");
    EXPECT_TRUE(faults.front().fatal);
    EXPECT_THAT(faults.front().message, HasSubstr("would hand out 1 next, but the log and its lanes are at 2"));
    const auto& remedy = faults.front().remedy;
    session{uri_}.execute(remedy.substr(0, remedy.find(';')));
    EXPECT_THAT(store_->faults(0), IsEmpty());
    commit(*store_->open_unit(), {event("m-3")});
}

TEST_F(sequence_of_the_log, that_is_behind_a_mark_is_found) {
    connect().execute("SELECT setval(pg_get_serial_sequence('event_log', 'seq'), 2)");
    EXPECT_THAT(store_->faults(0), IsEmpty());
    const auto lane = store_->open_lane();
    static_cast<void>(take(lane));
    connect().execute("UPDATE lease SET mark = 7");
    EXPECT_EQ(store_->faults(0).size(), 1U);
}

TEST_F(sequence_of_the_log, that_is_behind_is_no_fault_of_the_event) {
    const auto unit = store_->open_unit();
    try {
        commit(*unit, {event("m-3", "o-3")});
        FAIL() << "committed";
    } catch (const store_error& e) {
        EXPECT_TRUE(e.retryable()) << e.what();
        EXPECT_THAT(e.what(), AllOf(HasSubstr("the sequence of the event log"), HasSubstr("setval")));
    }
    EXPECT_THROW(commit(*unit, {event("m-3", "o-3")}), store_error) << "2 is in use, too";
    commit(*unit, {event("m-3", "o-3")});
    try {
        commit(*unit, {event("m-1")});
        FAIL() << "committed";
    } catch (const std::runtime_error& e) {
        EXPECT_THAT(e.what(), HasSubstr("m-1 is in the event log already")) << "the event's own fault";
    }
}

/// An account that may ask the server nothing about itself.
class account_without_questions : public ::testing::Test {
protected:
    account_without_questions() {
        session sql{database_.uri()};
        sql.execute(
            "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC;"
            "REVOKE EXECUTE ON FUNCTION pg_walfile_name(pg_lsn) FROM PUBLIC;"
            "DROP ROLE IF EXISTS " +
            role_ + "; CREATE ROLE " + role_ +
            " LOGIN;"
            "GRANT CREATE ON SCHEMA public TO " +
            role_);
    }
    ~account_without_questions() override {
        session{database_.uri()}.execute("DROP OWNED BY " + role_ + "; DROP ROLE " + role_);
    }
    [[nodiscard]] std::string uri() const {
        auto uri = database_.uri();
        return uri.replace(uri.find("//") + 2, uri.find('@') - uri.find("//") - 2, role_);
    }

    testing::postgresql::own_database database_;
    std::string role_ = testing::postgresql::fresh_schema() + "_role";
};

TEST_F(account_without_questions, works_with_what_it_may_know) {
    const auto store = make_postgresql_database({.conninfo = uri()});
    store->setup();
    const auto who = store->history();
    EXPECT_FALSE(who.stamp.contains("system"));
    EXPECT_FALSE(who.stamp.contains("timeline"));
    EXPECT_EQ(who.place, "") << "not known well enough to begin a new incarnation by itself";
    const auto unit = store->open_unit();
    unit->commit({.events = {event("m-1")}, .at = system_clock().now()});
    const auto lane = store->open_lane();
    const auto grant = lane.lease->acquire("default:partner", "me", system_clock().now(), duration{30s});
    ASSERT_TRUE(grant);
    EXPECT_EQ(lane.rows->due(*grant, "partner", 0, 10).rows.size(), 1U);
    EXPECT_THAT(store->faults(100), IsEmpty());
}

/// The roles of docs/operations.md, in a database of their own.
class least_privilege : public ::testing::Test {
protected:
    least_privilege() {
        const auto owner = make_postgresql_database({.conninfo = database_.uri(), .schema = "shop"});
        owner->setup();
        owner->claim("shop");
        std::ifstream file{SLUICE_GRANTS};
        std::string grants{std::istreambuf_iterator<char>{file}, {}};
        for (const std::string role : {"shop_app", "shop_reader"}) {
            for (auto at = grants.find(role); at != std::string::npos;
                 at = grants.find(role, at + prefix_.size() + role.size())) {
                grants.insert(at, prefix_);
            }
        }
        session{database_.uri()}.execute(grants);
    }
    ~least_privilege() override {
        for (const std::string role : {"shop_app", "shop_reader"}) {
            session{database_.uri()}.execute("DROP OWNED BY " + prefix_ + role + "; DROP ROLE " + prefix_ + role);
        }
    }
    [[nodiscard]] std::unique_ptr<database> open_as(const std::string& role) const {
        auto uri = database_.uri();
        const auto user = uri.find("//") + 2;
        return make_postgresql_database(
            {.conninfo = uri.replace(user, uri.find('@') - user, prefix_ + role), .schema = "shop"});
    }

    testing::postgresql::own_database database_;
    std::string prefix_ = testing::postgresql::fresh_schema() + "_";
};

TEST_F(least_privilege, is_enough_to_run_a_service) {
    const auto store = open_as("shop_app");
    EXPECT_EQ(store->history().domain, "shop");
    EXPECT_NE(store->history().place, "");
    EXPECT_THAT(store->faults(100), IsEmpty());
    const auto unit = store->open_unit();
    const auto now = system_clock().now();
    unit->commit({.states = {insert("o-1")},
                  .events = {event("m-1"), event("m-2")},
                  .marks = {{"in-1", "handler"}},
                  .snapshots = {{.aggregate = "Order", .id = "o-1", .state = "{}"}},
                  .outcomes = {{.key = "k", .command = "c", .content = "null", .expires_at = now}},
                  .scheduled = {{.id = "s", .due = now, .message = event("m-3")}},
                  .at = now});
    unit->commit({.states = {update("o-1", 1)}, .cancelled = {{.id = "s", .due = now}}, .at = now});

    const auto lane = store->open_lane();
    auto grant = lane.lease->acquire("default:partner", "me", now, duration{30s});
    ASSERT_TRUE(grant);
    const auto batch = lane.rows->due(*grant, "partner", 0, 10);
    EXPECT_THAT(ids(batch), ElementsAre("m-1", "m-2"));
    EXPECT_EQ(lane.rows->settle(*grant, "partner", published(batch.rows), 2), settle_outcome::settled);
    EXPECT_TRUE(lane.lease->renew(*grant, {.state = "idle", .since = now}, now, duration{30s}));
    wake_signal nobody;
    static_cast<void>(lane.rows->wait(nobody, 1ms));
    static_cast<void>(lane.rows->purge(*grant, "partner", now + duration{1h}, now + duration{1h}, 10));
    lane.lease->release(*grant, {.state = "lost", .since = now});

    const auto operations = store->open_operations();
    EXPECT_EQ(operations->discard({.target_broker = "default"}, "test", now), 2U);
    EXPECT_EQ(operations->retry({.target_broker = "default"}), 2U);
    EXPECT_EQ(operations->purge_inbox(now + duration{1h}, 10), 1U);
    EXPECT_EQ(operations->purge_outcomes(now + duration{1h}, 10), 1U);
    EXPECT_EQ(store->adopt({}).refusal, "");
    EXPECT_THROW(static_cast<void>(
                     session{database_.uri()}.scalar("SET ROLE " + prefix_ + "shop_app; DELETE FROM shop.event_log")),
                 std::runtime_error);
}

TEST_F(least_privilege, is_enough_to_look) {
    const auto writer = open_as("shop_app");
    writer->open_unit()->commit({.events = {event("m-1")}, .at = system_clock().now()});
    const auto store = open_as("shop_reader");
    EXPECT_THAT(store->faults(100), IsEmpty());
    const auto operations = store->open_operations();
    EXPECT_EQ(operations->list({}).size(), 2U);
    EXPECT_EQ(operations->events({}).size(), 1U);
    EXPECT_TRUE(operations->outbox_summary().contains("partner"));
    EXPECT_THAT(operations->lanes(), IsEmpty());
    EXPECT_THROW(store->open_unit()->commit({.events = {event("m-2")}, .at = system_clock().now()}), store_error);
}

}  // namespace
}  // namespace sluice::store::postgresql_test
