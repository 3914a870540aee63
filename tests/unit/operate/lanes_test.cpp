#include "operate/lanes.hpp"

#include <gtest/gtest.h>

namespace sluice::operate {
namespace {

using namespace std::chrono_literals;
using store::row_status;

const date_time now = date_time::parse("2026-11-23T12:00:00Z");
constexpr duration minute = std::chrono::minutes{1};

config::outbox_settings outbox() {
    config::outbox_settings settings;
    settings.external_brokers = {"partner"};
    return settings;
}

store::lane_status lease(const std::string& lane, date_time expires_at) {
    store::lane_status status;
    status.lane = lane;
    status.owner = "host-1-ab";
    status.expires_at = expires_at;
    status.state = "paused";
    status.detail = "connection refused";
    status.rate = 12;
    status.since = now - 5 * minute;
    return status;
}

TEST(view_lanes, shows_the_configured_lanes_in_order_even_when_nothing_ever_ran) {
    const auto lanes = view_lanes(outbox(), "default", {}, now);
    ASSERT_EQ(lanes.size(), 2u);
    EXPECT_EQ(lanes[0].broker, "default");
    EXPECT_FALSE(lanes[0].external);
    EXPECT_EQ(lanes[1].broker, "partner");
    EXPECT_TRUE(lanes[1].external);
    EXPECT_EQ(lanes[1].state, "stopped");
    EXPECT_FALSE(lanes[1].since);
    EXPECT_EQ(lanes[1].depth(), 0);
}

TEST(view_lanes, depth_is_what_is_not_confirmed_yet) {
    store::outbox_counts counts;
    counts.by_status = {{row_status::pending, 3},
                        {row_status::processing, 1},
                        {row_status::failed, 2},
                        {row_status::abandoned, 4},
                        {row_status::published, 50}};
    counts.oldest_open = now - minute;
    const lane_view lane = view_lanes(outbox(), "default", {.counts = {{{"partner", counts}}}}, now).at(1);
    EXPECT_EQ(lane.depth(), 6);
    EXPECT_EQ(lane.rows->pending, 4);
    EXPECT_EQ(lane.rows->failed, 2);
    EXPECT_EQ(lane.rows->abandoned, 4);
    EXPECT_EQ(lane.rows->published, 50);
    EXPECT_EQ(lane.rows->oldest, now - minute);
}

TEST(view_lanes, a_running_lane_is_as_its_owner_reports) {
    const lane_view lane =
        view_lanes(outbox(), "default", {.leases = {lease("default:partner", now + minute)}}, now).at(1);
    EXPECT_EQ(lane.state, "paused");
    EXPECT_EQ(lane.detail, "connection refused");
    EXPECT_EQ(lane.owner, "host-1-ab");
    EXPECT_EQ(lane.rate, 12);
    EXPECT_EQ(lane.since, now - 5 * minute);
}

TEST(view_lanes, an_expired_lease_means_stopped) {
    const lane_view lane = view_lanes(outbox(), "default", {.leases = {lease("default:partner", now)}}, now).at(1);
    EXPECT_EQ(lane.state, "stopped");
    EXPECT_EQ(lane.detail, "host-1-ab has not renewed its lease");
    EXPECT_EQ(lane.owner, "");
    EXPECT_EQ(lane.rate, 0);
    EXPECT_EQ(lane.since, now);
}

TEST(view_lanes, a_released_lease_means_stopped) {
    store::lane_status released = lease("default:partner", now + minute);
    released.owner.clear();
    const lane_view lane = view_lanes(outbox(), "default", {.leases = {released}}, now).at(1);
    EXPECT_EQ(lane.state, "stopped");
    EXPECT_EQ(lane.detail, "");
}

TEST(view_lanes, show_what_came_of_the_last_audit_of_their_broker) {
    const auto note = store::audit_note{}.followed_by(now, true);
    const auto lanes = view_lanes(outbox(), "default", {.audits = {{"partner", note}, {"retired", {}}}}, now);
    EXPECT_EQ(lanes.at(0).audit, std::nullopt);
    EXPECT_EQ(lanes.at(1).audit, note);
}

TEST(view_lanes, a_pause_by_an_operator_is_shown_whether_or_not_somebody_owns_the_lane) {
    const store::lane_pause pause{.since = now, .reason = "moving"};
    const auto lanes = view_lanes(outbox(), "default", {.pauses = {{"partner", pause}}}, now);
    EXPECT_EQ(lanes.at(0).pause, std::nullopt);
    EXPECT_EQ(lanes.at(1).pause, pause);
    EXPECT_EQ(lanes.at(1).state, "stopped");
    EXPECT_EQ(lanes.at(1).detail, store::describe(pause));
}

TEST(view_lanes, shards_are_shown_below_the_worst_of_them) {
    config::outbox_settings settings = outbox();
    settings.lanes["partner"].shards = 3;
    std::vector<store::lane_status> leases{lease("default:partner#1/3", now + minute),
                                           lease("default:partner#2/3", now + minute),
                                           lease("default:partner#3/3", now + minute)};
    leases[0].state = "flowing";
    leases[0].detail = "";
    leases[2].state = "flowing";
    leases[2].owner = "host-2-cd";
    store::outbox_counts counts;
    counts.by_status = {{row_status::pending, 3}};
    const lane_view lane =
        view_lanes(settings, "default", {.leases = leases, .counts = {{{"partner", counts}}}}, now).at(1);
    EXPECT_EQ(lane.state, "paused");
    EXPECT_EQ(lane.detail, "connection refused");
    EXPECT_EQ(lane.owner, "") << "there are two";
    EXPECT_EQ(lane.rate, 36);
    EXPECT_EQ(lane.depth(), 3);
    ASSERT_EQ(lane.shards.size(), 3U);
    EXPECT_EQ(lane.shards[1].part, (store::shard{2, 3}));
    EXPECT_EQ(lane.shards[2].owner, "host-2-cd");
    EXPECT_EQ(lane.shards[2].state, "flowing");
}

TEST(view_lanes, a_lane_that_waits_for_another_number_of_shards_says_so) {
    const lane_view lane =
        view_lanes(outbox(), "default", {.leases = {lease("default:partner#2/2", now + minute)}}, now).at(1);
    EXPECT_EQ(lane.state, "stopped");
    EXPECT_EQ(lane.detail, "waits for another number of shards to end: default:partner#2/2 belongs to host-1-ab");
    EXPECT_TRUE(lane.shards.empty());
}

TEST(view_lanes, the_lease_of_another_database_is_not_meant) {
    const lane_view lane =
        view_lanes(outbox(), "default", {.leases = {lease("other:partner", now + minute)}}, now).at(1);
    EXPECT_EQ(lane.state, "stopped");
}

TEST(view_lanes, a_running_lane_tells_where_it_waits_for_a_transaction) {
    auto waiting = lease("default:partner", now + minute);
    waiting.horizon = 42;
    EXPECT_EQ(view_lanes(outbox(), "default", {.leases = {waiting}}, now).at(1).horizon, 42);
    waiting.owner.clear();
    EXPECT_FALSE(view_lanes(outbox(), "default", {.leases = {waiting}}, now).at(1).horizon)
        << "a lane without owner waits not";
}

TEST(view_lanes, an_idle_owner_of_rows_that_wait_is_shown_at_work) {
    store::outbox_counts counts;
    counts.by_status = {{row_status::pending, 1}};
    store::lane_status idle = lease("default:partner", now + minute);
    idle.state = "idle";
    lane_view lane = view_lanes(outbox(), "default", {.leases = {idle}, .counts = {{{"partner", counts}}}}, now).at(1);
    EXPECT_EQ(lane.state, "idle");
    EXPECT_EQ(lane.shown_state(), "flowing");
    lane.rows = lane_rows{.abandoned = 1};
    EXPECT_EQ(lane.shown_state(), "idle");
}

TEST(shard_to_json, tells_what_is_known_of_its_owner) {
    lane_view shard{.state = "paused", .detail = "no such host", .owner = "vm-1", .rate = 2.5, .part = {2, 3}};
    shard.since = now;
    EXPECT_EQ(json::dump(shard_to_json(shard)),
              R"({"shard":"2/3","state":"paused","detail":"no such host","rate":2.5,"owner":"vm-1",)"
              R"("since":"2026-11-23T12:00:00+00:00"})");
    EXPECT_TRUE(shard_to_json(lane_view{}).at("owner").is_null());
}

class lanes_of_a_database : public testing::Test {
protected:
    lanes_of_a_database() { outbox_.external_brokers = {"partner"}; }

    [[nodiscard]] store::lane_status lease(const std::string& lane, const std::string& state) const {
        return {.lane = lane, .owner = "vm-1", .expires_at = now_ + 10s, .state = state, .detail = "detail of " + lane};
    }
    [[nodiscard]] lane_view partner(const lane_records& from) const {
        return view_lanes(outbox_, "main", from, now_)[1];
    }

    config::outbox_settings outbox_;
    date_time now_ = date_time::parse("2026-11-23T08:00:00Z");
};

TEST_F(lanes_of_a_database, there_is_one_for_each_broker_internal_first) {
    for (const auto& lanes : {view_lanes(outbox_, "main", {}, now_), unknown_lanes(outbox_, "main")}) {
        ASSERT_EQ(lanes.size(), 2U);
        EXPECT_EQ(lanes[0].broker, "default");
        EXPECT_FALSE(lanes[0].external);
        EXPECT_EQ(lanes[1].broker, "partner");
        EXPECT_TRUE(lanes[1].external);
    }
}

TEST_F(lanes_of_a_database, nothing_is_known_while_the_database_is_silent) {
    const lane_view lane = unknown_lanes(outbox_, "main")[1];
    EXPECT_EQ(lane.state, "unknown");
    EXPECT_FALSE(lane.rows);
}

TEST_F(lanes_of_a_database, shows_the_owners_report) {
    const lane_view lane = partner({.leases = {lease("main:partner", "paused")}});
    EXPECT_EQ(lane.state, "paused");
    EXPECT_EQ(lane.detail, "detail of main:partner");
    EXPECT_FALSE(lane.rows) << "not counted yet";
}

TEST_F(lanes_of_a_database, a_lane_without_a_living_owner_has_stopped) {
    EXPECT_EQ(partner({}).state, "stopped");
    auto released = lease("main:partner", "draining");
    released.owner.clear();
    EXPECT_EQ(partner({.leases = {released}}).state, "stopped");
    EXPECT_EQ(partner({.leases = {released}}).last_detail(), "detail of main:partner");
    auto expired = lease("main:partner", "flowing");
    expired.expires_at = now_;
    EXPECT_EQ(partner({.leases = {expired}}).state, "stopped");
    EXPECT_EQ(partner({.leases = {expired}}).detail, "vm-1 has not renewed its lease");
}

TEST_F(lanes_of_a_database, the_worst_shard_counts) {
    outbox_.lanes["partner"].shards = 3;
    const lane_view lane =
        partner({.leases = {lease("main:partner#1/3", "flowing"), lease("main:partner#2/3", "blocked"),
                            lease("main:partner#3/3", "idle"), lease("main:partner_b", "paused")}});
    EXPECT_EQ(lane.state, "blocked");
    EXPECT_EQ(lane.detail, "detail of main:partner#2/3");
    ASSERT_EQ(lane.shards.size(), 3U);
    EXPECT_EQ(lane.shards[2].part, (store::shard{3, 3}));
    EXPECT_EQ(lane.shards[2].state, "idle");
}

TEST_F(lanes_of_a_database, a_shard_that_waits_for_another_number_of_shards_says_so) {
    outbox_.lanes["partner"].shards = 2;
    const lane_view lane = partner({.leases = {lease("main:partner", "flowing")}});
    EXPECT_EQ(lane.state, "stopped");
    EXPECT_EQ(lane.detail, "waits for another number of shards to end: main:partner belongs to vm-1");
    EXPECT_TRUE(partner({.leases = {lease("main:other", "flowing")}}).detail.empty());
}

TEST_F(lanes_of_a_database, counts_what_is_open_refused_and_given_up) {
    store::outbox_counts counts{.by_status = {{row_status::pending, 3},
                                              {row_status::failed, 2},
                                              {row_status::abandoned, 4},
                                              {row_status::published, 100}},
                                .oldest_open = now_ - duration{90s}};
    lane_view lane = partner({.leases = {}, .counts = {{{"partner", counts}}}});
    EXPECT_EQ(lane.rows->open(), 5);
    EXPECT_EQ(lane.rows->failed, 2);
    EXPECT_EQ(lane.rows->abandoned, 4);
    EXPECT_EQ(lane.rows->age, duration{90s});

    counts.oldest_open = now_ + duration{1s};
    lane = partner({.leases = {}, .counts = {{{"partner", counts}}}});
    EXPECT_EQ(lane.rows->age, duration{0}) << "the clock of whoever committed is ahead";

    lane = partner({.leases = {}, .counts = {{}}});
    EXPECT_EQ(lane.rows->open(), 0);
    EXPECT_FALSE(lane.rows->age);
}

TEST(long_writers, leaves_out_who_has_only_begun) {
    const auto writers = long_writers({{.pid = 1, .age = 60s}, {.pid = 2, .age = 10ms}, {.pid = 3}});
    ASSERT_EQ(writers.size(), 2u);
    EXPECT_EQ(writers.at(0).pid, 1);
    EXPECT_EQ(writers.at(1).pid, 3) << "whose age is hidden may hold everything";
}

}  // namespace
}  // namespace sluice::operate
