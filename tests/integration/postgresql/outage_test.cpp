#include <functional>
#include <ostream>
#include <set>
#include <thread>

#include "integration/postgresql/parcel_desk.hpp"
#include "integration/postgresql/postgresql_fixture.hpp"

/// What counts against a message when the trouble is the database's: nothing while it cannot be used, and one attempt
/// when only this message cannot be handled.
namespace sluice::store::postgresql_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A role and a database of the test's own.
class outage_scene {
public:
    outage_scene() {
        // The role owns what it needs, and nothing more: a superuser is refused nothing.
        admin("CREATE ROLE " + role + " LOGIN");
        admin("GRANT CREATE, CONNECT ON DATABASE " + name() + " TO " + role);
    }
    outage_scene(const outage_scene&) = delete;
    outage_scene& operator=(const outage_scene&) = delete;
    ~outage_scene() {
        database.reset();
        admin("DROP ROLE IF EXISTS " + role);
    }

    void admin(const std::string& sql) const { session{}.execute(sql); }
    void inside(const std::string& sql) const { session{database->uri()}.execute(sql); }
    [[nodiscard]] std::string name() const {
        const auto uri = database->uri();
        return uri.substr(uri.rfind('/') + 1);
    }
    void end_sessions() const {
        admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE '" + role + "%'");
    }
    [[nodiscard]] postgresql_options options() const {
        return {.conninfo = database->uri() + "?user=" + role, .schema = "own", .lock_timeout = 50ms};
    }

    const std::string role = testing::postgresql::fresh_schema();
    std::unique_ptr<testing::postgresql::own_database> database = std::make_unique<testing::postgresql::own_database>();
};

struct outage_kind {
    const char* name;
    std::function<void(const outage_scene&)> begin;
    std::function<void(const outage_scene&)> end;
    const char* reason;  ///< a part of what is shown

    friend std::ostream& operator<<(std::ostream& out, const outage_kind& kind) { return out << kind.name; }
};

class outage : public ::testing::TestWithParam<outage_kind> {};

TEST_P(outage, costs_no_message_an_attempt_and_shows_its_reason) {
    const outage_kind& kind = GetParam();
    const outage_scene scene;
    parcel_desk desk{scene.options(), {.retry_delay_seconds = 0.01}};
    desk.arrives("warm");
    ASSERT_TRUE(eventually([&] { return desk.status().handled == 1; }));

    kind.begin(scene);
    scene.end_sessions();
    for (int i = 0; i < 5; ++i) desk.arrives(std::to_string(i));
    // The first reason may be that the session was ended.
    EXPECT_TRUE(eventually(
        [&] {
            const auto now = desk.status();
            return now.state == "paused" && now.detail.find(kind.reason) != std::string::npos;
        },
        60s))
        << desk.status().state << ": " << desk.status().detail;
    kind.end(scene);

    EXPECT_TRUE(eventually([&] { return desk.status().handled == 6; }, 60s)) << desk.status().detail;
    EXPECT_EQ(desk.status().failed, 0);
    EXPECT_EQ(desk.dead(), 0U);
}

const outage_kind outages[] = {
    {"role_renamed", [](const outage_scene& s) { s.admin("ALTER ROLE " + s.role + " RENAME TO " + s.role + "_away"); },
     [](const outage_scene& s) { s.admin("ALTER ROLE " + s.role + "_away RENAME TO " + s.role); }, "does not exist"},
    {"login_forbidden", [](const outage_scene& s) { s.admin("ALTER ROLE " + s.role + " NOLOGIN"); },
     [](const outage_scene& s) { s.admin("ALTER ROLE " + s.role + " LOGIN"); }, "not permitted to log in"},
    {"database_closed",
     [](const outage_scene& s) { s.admin("ALTER DATABASE " + s.name() + " ALLOW_CONNECTIONS false"); },
     [](const outage_scene& s) { s.admin("ALTER DATABASE " + s.name() + " ALLOW_CONNECTIONS true"); },
     "not currently accepting connections"},
    {"too_many_connections", [](const outage_scene& s) { s.admin("ALTER ROLE " + s.role + " CONNECTION LIMIT 0"); },
     [](const outage_scene& s) { s.admin("ALTER ROLE " + s.role + " CONNECTION LIMIT -1"); }, "too many connections"},
    {"read_only",
     [](const outage_scene& s) { s.admin("ALTER ROLE " + s.role + " SET default_transaction_read_only = on"); },
     [](const outage_scene& s) {
         s.admin("ALTER ROLE " + s.role + " RESET default_transaction_read_only");
         s.end_sessions();
     },
     "read-only"},
    {"right_taken_away", [](const outage_scene& s) { s.inside("ALTER SCHEMA own OWNER TO CURRENT_USER"); },
     [](const outage_scene& s) { s.inside("ALTER SCHEMA own OWNER TO " + s.role); }, "permission denied"},
    {"table_renamed", [](const outage_scene& s) { s.inside("ALTER TABLE own.aggregate_state RENAME TO away"); },
     [](const outage_scene& s) { s.inside("ALTER TABLE own.away RENAME TO aggregate_state"); }, "does not exist"},
};

INSTANTIATE_TEST_SUITE_P(kinds, outage, ::testing::ValuesIn(outages),
                         [](const auto& tested) { return std::string{tested.param.name}; });

TEST(outage_of_a_name, is_one) {
    auto where = postgresql_options{.conninfo = "postgresql://nobody@no-such-host.invalid/shop"};
    try {
        static_cast<void>(make_postgresql_database(where)->open_unit());
        FAIL() << "it has an address";
    } catch (const store_error& e) {
        EXPECT_EQ(e.nature(), error_nature::outage) << e.what();
        EXPECT_THAT(e.what(), HasSubstr("no-such-host.invalid"));
    }
}

class hindered_message : public ::testing::TestWithParam<std::size_t> {};

TEST_P(hindered_message, whose_row_a_forgotten_session_keeps_locked_stops_no_other) {
    const outage_scene scene;
    parcel_desk desk{scene.options(), {.retry_delay_seconds = 0.2, .concurrency = GetParam()}};
    session forgotten{scene.database->uri()};
    forgotten.execute("BEGIN");
    forgotten.execute(
        "INSERT INTO own.aggregate_state (aggregate, id, version, state) VALUES ('letter', '0', 0, '{}')");
    constexpr int others = 9;
    for (int i = 0; i <= others; ++i) desk.arrives(std::to_string(i));

    EXPECT_TRUE(eventually([&] { return desk.status().handled == others; }, 60s)) << desk.status().detail;
    EXPECT_TRUE(eventually([&] { return desk.status().detail.find("lock") != std::string::npos; }, 60s));
    EXPECT_EQ(desk.dead(), 0U);
    forgotten.execute("ROLLBACK");
    EXPECT_TRUE(eventually([&] { return desk.status().handled == others + 1; }, 60s)) << desk.status().detail;
}

TEST_P(hindered_message, ends_among_the_dead_letters_when_the_lock_stays_for_ever) {
    const outage_scene scene;
    parcel_desk desk{scene.options(), {.max_retries = 2, .retry_delay_seconds = 0.01, .concurrency = GetParam()}};
    session forgotten{scene.database->uri()};
    forgotten.execute("BEGIN");
    forgotten.execute(
        "INSERT INTO own.aggregate_state (aggregate, id, version, state) VALUES ('letter', '0', 0, '{}')");
    desk.arrives("0");
    // One after the other, so that there is always another one to be handled.
    int others = 0;
    EXPECT_TRUE(eventually(
        [&] {
            if (desk.status().handled == others) desk.arrives(std::to_string(++others));
            return desk.dead() == 1U;
        },
        90s));
    EXPECT_EQ(desk.status().failed, 2) << "each after several hindrances";
    EXPECT_TRUE(eventually([&] { return desk.status().handled == others; }));
}

INSTANTIATE_TEST_SUITE_P(hands, hindered_message, ::testing::Values(1, 4));

}  // namespace
}  // namespace sluice::store::postgresql_test
