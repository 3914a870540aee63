#include "operate/world_findings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace sluice::operate {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const date_time now = date_time::parse("2026-11-23T12:00:00Z");

/// `error CODE element`, one for each.
std::vector<std::string> words(const std::vector<config::finding>& found) {
    std::vector<std::string> all;
    for (const auto& each : found) {
        EXPECT_FALSE(each.message.empty()) << each.code;
        EXPECT_FALSE(each.remedy.empty()) << each.code << " says not what to do";
        all.push_back(std::string{config::to_string(each.level)} + " " + each.code + " " + each.element);
    }
    return all;
}

lane_view lane(const std::string& state) {
    return {.database = "default",
            .broker = "partner",
            .external = true,
            .state = state,
            .owner = state == "stopped" ? "" : "vm-1",
            .since = now - 90s,
            .rows = lane_rows{}};
}

std::vector<config::finding> found_of(lane_view shown) {
    return status_findings(status_view{.at = now, .lanes = {std::move(shown)}});
}

schema_view schema(int applied, int expected) {
    return {.database = "default", .provider = "sqlite x.db", .schema = {.applied = applied, .expected = expected}};
}

TEST(schema_findings, tell_each_way_in_which_a_schema_can_be_wrong) {
    EXPECT_THAT(schema_findings(schema(8, 8)), IsEmpty());
    EXPECT_THAT(words(schema_findings(schema(0, 8))), ElementsAre("error SCHEMA_MISSING databases.default"));
    EXPECT_THAT(words(schema_findings(schema(7, 8))), ElementsAre("error SCHEMA_OUTDATED databases.default"));
    EXPECT_THAT(words(schema_findings(schema(9, 8))), ElementsAre("error SCHEMA_NEWER databases.default"));
}

TEST(status_findings, have_nothing_to_say_of_lanes_at_work) {
    for (const char* state : {"idle", "flowing", "draining"}) EXPECT_THAT(found_of(lane(state)), IsEmpty()) << state;
}

TEST(status_findings, a_lane_without_owner_is_an_error_that_says_what_waits) {
    lane_view stopped = lane("stopped");
    stopped.rows = lane_rows{.pending = 3};
    stopped.detail = "vm-1 has not renewed its lease";
    const auto found = found_of(stopped);
    EXPECT_THAT(words(found), ElementsAre("error LANE_WITHOUT_OWNER default:partner"));
    EXPECT_EQ(
        found.front().message,
        "lane default:partner has had no owner for 1m 30s, and 3 rows wait for it: vm-1 has not renewed its lease");
}

TEST(status_findings, of_shards_those_without_owner_are_counted) {
    lane_view sharded = lane("stopped");
    sharded.shards = {lane("idle"), lane("stopped"), lane("stopped")};
    const auto found = found_of(sharded);
    EXPECT_THAT(words(found), ElementsAre("error LANE_WITHOUT_OWNER default:partner"));
    EXPECT_THAT(found.front().message, HasSubstr("2 of 3 shards of lane default:partner have had no owner for 1m 30s"));
}

TEST(status_findings, tell_what_keeps_a_lane) {
    EXPECT_THAT(words(found_of(lane("paused"))), ElementsAre("warning LANE_PAUSED default:partner"));
    EXPECT_THAT(words(found_of(lane("blocked"))), ElementsAre("warning LANE_BLOCKED default:partner"));
    EXPECT_THAT(words(found_of(lane("lost"))), ElementsAre("error LANE_LOST default:partner"));
    lane_view resting = lane("paused");
    resting.pause = store::lane_pause{.since = now, .reason = "they move"};
    const auto found = found_of(resting);
    EXPECT_THAT(words(found), ElementsAre("warning LANE_AT_REST default:partner"));
    EXPECT_EQ(found.front().remedy, "sluice lanes resume partner");
    lane_view given_up = lane("idle");
    given_up.rows = lane_rows{.abandoned = 2};
    EXPECT_THAT(words(found_of(given_up)), ElementsAre("warning ROWS_ABANDONED default:partner"));
}

TEST(status_findings, name_the_transaction_that_holds_a_gap) {
    status_view status{.at = now};
    status.held["default"] = {
        .strict = false, .by = {{.pid = 4242, .age = 200s, .application = "psql", .state = "idle in transaction"}}};
    auto found = status_findings(status);
    EXPECT_THAT(words(found), ElementsAre("warning GAP_HELD databases.default"));
    EXPECT_THAT(found.front().message,
                HasSubstr("the transaction of process 4242 (psql, idle in transaction), open for 3m 20s, has written"));
    EXPECT_THAT(found.front().remedy, HasSubstr("SELECT pg_terminate_backend(4242)"));
    status.held["default"] = {.strict = true, .by = {{.pid = 0}}};
    found = status_findings(status);
    EXPECT_THAT(words(found), ElementsAre("error GAP_HELD databases.default"));
    EXPECT_THAT(found.front().remedy, HasSubstr("ROLLBACK PREPARED"));
    status.held["default"].by.assign(9, {.pid = 1});
    EXPECT_THAT(status_findings(status), SizeIs(3)) << "a few are enough";
}

TEST(status_findings, tell_of_groups_schedules_and_outages) {
    status_view status{.at = now};
    status.groups = {{"default", {.stream = "a", .group = "g", .dead = 1}},
                     {"default", {.stream = "b", .group = "g", .dead = 2, .shared_name = "shop-0"}},
                     {"default", {.stream = "c", .group = "h", .shared_name = "shop-0"}}};
    status.overdue.push_back({"default", 1, now - 30s});
    status.outages = {{outage::kind::database, "other", "no such host"}, {outage::kind::broker, "partner", "refused"}};
    const auto found = status_findings(status);
    EXPECT_THAT(words(found),
                ElementsAre("error DATABASE_UNAVAILABLE databases.other", "warning BROKER_UNAVAILABLE brokers.partner",
                            "warning DEAD_LETTERS g", "error SHARED_NAME brokers.default",
                            "error SCHEDULE_OVERDUE databases.default"));
    EXPECT_EQ(found[2].message, "3 dead letters of g on broker default");
    EXPECT_THAT(found.back().message, HasSubstr("1 message is of the schedule"));
}

asked_server asked(duration ahead, duration took = 10ms) {
    return {.before = now, .state = {.now = now + took / 2 + ahead, .connections_offered = 100}, .after = now + took};
}

TEST(server_findings, compare_clocks_beyond_the_time_of_asking) {
    EXPECT_THAT(server_findings("default", asked(2s)), IsEmpty());
    EXPECT_THAT(server_findings("default", asked(-2s)), IsEmpty());
    EXPECT_THAT(server_findings("default", asked(5s, 10s)), IsEmpty()) << "half of the time of asking";
    const auto ahead = server_findings("default", asked(1h));
    EXPECT_THAT(words(ahead), ElementsAre("warning CLOCK_DIFFERS databases.default"));
    EXPECT_THAT(ahead.front().message, HasSubstr("is 1h 0m ahead of that of this machine"));
    EXPECT_THAT(server_findings("default", asked(-3s)).front().message, HasSubstr("is 3s behind that of this machine"));
}

TEST(server_findings, warn_of_the_last_connections) {
    asked_server with = asked(0s);
    with.state.connections_open = 90;
    EXPECT_THAT(server_findings("default", with), IsEmpty());
    with.state.connections_open = 91;
    const auto found = server_findings("default", with);
    EXPECT_THAT(words(found), ElementsAre("warning FEW_CONNECTIONS_LEFT databases.default"));
    EXPECT_THAT(found.front().message, HasSubstr("91 of the 100 connections"));
    with.state.connections_offered = 8;
    with.state.connections_open = 6;
    EXPECT_THAT(server_findings("default", with), IsEmpty()) << "of a small server a quarter";
}

class retention : public ::testing::Test {
protected:
    [[nodiscard]] std::vector<config::finding> found(const kept_for_long& seen) const {
        return retention_findings(outbox_, seen);
    }
    static store::outbox_row row(duration age, store::row_status status = store::row_status::published) {
        store::outbox_row made{.message_id = "m-1", .target_broker = "partner", .status = status};
        if (status == store::row_status::published) made.published_at = now - age;
        return made;
    }
    static store::lane_status lease(const std::string& name, const std::string& owner, duration since) {
        return {.lane = name, .owner = owner, .expires_at = now + 10s, .since = now - since};
    }

    retention() {
        outbox_.cleanup = {.published_retention_hours = 1, .abandoned_retention_hours = 2, .interval_seconds = 600};
    }

    config::outbox_settings outbox_;
};

TEST_F(retention, old_published_rows_are_told_after_two_rounds) {
    EXPECT_THAT(found({.database = "default", .oldest = {row(79min)}, .at = now}), IsEmpty());
    EXPECT_THAT(found({.database = "default", .oldest = {row(99h, store::row_status::pending)}, .at = now}), IsEmpty());
    const auto late = found({.database = "default", .oldest = {row(81min), row(90min)}, .at = now});
    EXPECT_THAT(words(late), ElementsAre("warning RETENTION_BEHIND default:partner"));
    EXPECT_THAT(late.front().message, HasSubstr("m-1 was published 1h 21m ago"));
}

TEST_F(retention, a_maintenance_that_does_not_come_is_told_while_engines_run) {
    const auto owned = lease("default:partner", "vm-1", 1s);
    EXPECT_THAT(found({.database = "default", .leases = {owned, lease("maintenance", "", 20min)}, .at = now}),
                IsEmpty());
    EXPECT_THAT(words(found({.database = "default", .leases = {owned, lease("maintenance", "", 22min)}, .at = now})),
                ElementsAre("warning RETENTION_BEHIND databases.default"));
    EXPECT_THAT(found({.database = "default",
                       .leases = {lease("default:partner", "", 1s), lease("maintenance", "", 22h)},
                       .at = now}),
                IsEmpty())
        << "no engine runs, which is told by others";
}

}  // namespace
}  // namespace sluice::operate
