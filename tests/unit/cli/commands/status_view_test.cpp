#include "cli/commands/status_view.hpp"

#include <gtest/gtest.h>

namespace sluice::cli {
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
    const auto lanes = view_lanes(outbox(), "default", {}, {}, now);
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
    const lane_view lane = view_lanes(outbox(), "default", {{"partner", counts}}, {}, now).at(1);
    EXPECT_EQ(lane.depth(), 6);
    EXPECT_EQ(lane.pending, 4);
    EXPECT_EQ(lane.failed, 2);
    EXPECT_EQ(lane.abandoned, 4);
    EXPECT_EQ(lane.published, 50);
    EXPECT_EQ(lane.oldest, now - minute);
}

TEST(view_lanes, a_running_lane_is_as_its_owner_reports) {
    const lane_view lane = view_lanes(outbox(), "default", {}, {lease("default:partner", now + minute)}, now).at(1);
    EXPECT_EQ(lane.state, "paused");
    EXPECT_EQ(lane.detail, "connection refused");
    EXPECT_EQ(lane.owner, "host-1-ab");
    EXPECT_EQ(lane.rate, 12);
    EXPECT_EQ(lane.since, now - 5 * minute);
}

TEST(view_lanes, an_expired_lease_means_stopped) {
    const lane_view lane = view_lanes(outbox(), "default", {}, {lease("default:partner", now)}, now).at(1);
    EXPECT_EQ(lane.state, "stopped");
    EXPECT_EQ(lane.detail, "host-1-ab has not renewed its lease");
    EXPECT_EQ(lane.owner, "");
    EXPECT_EQ(lane.rate, 0);
    EXPECT_EQ(lane.since, now);
}

TEST(view_lanes, a_released_lease_means_stopped) {
    store::lane_status released = lease("default:partner", now + minute);
    released.owner.clear();
    const lane_view lane = view_lanes(outbox(), "default", {}, {released}, now).at(1);
    EXPECT_EQ(lane.state, "stopped");
    EXPECT_EQ(lane.detail, "");
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
    const lane_view lane = view_lanes(settings, "default", {{"partner", counts}}, leases, now).at(1);
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
    const lane_view lane = view_lanes(outbox(), "default", {}, {lease("default:partner#2/2", now + minute)}, now).at(1);
    EXPECT_EQ(lane.state, "stopped");
    EXPECT_EQ(lane.detail, "waits for another number of shards to end: default:partner#2/2 belongs to host-1-ab");
    EXPECT_TRUE(lane.shards.empty());
}

TEST(view_lanes, the_lease_of_another_database_is_not_meant) {
    const lane_view lane = view_lanes(outbox(), "default", {}, {lease("other:partner", now + minute)}, now).at(1);
    EXPECT_EQ(lane.state, "stopped");
}

TEST(view_lanes, a_running_lane_tells_where_it_waits_for_a_transaction) {
    auto waiting = lease("default:partner", now + minute);
    waiting.horizon = 42;
    EXPECT_EQ(view_lanes(outbox(), "default", {}, {waiting}, now).at(1).horizon, 42);
    waiting.owner.clear();
    EXPECT_FALSE(view_lanes(outbox(), "default", {}, {waiting}, now).at(1).horizon) << "a lane without owner waits not";
}

TEST(writers_text, names_pid_age_and_application) {
    EXPECT_EQ(writers_text({{.pid = 4242, .age = 192s, .application = "psql", .state = "idle in transaction"}}),
              "pid 4242, open for 3m 12s (psql, idle in transaction)");
    EXPECT_EQ(writers_text({{.pid = 7}, {}}), "pid 7; a prepared transaction") << "what the server hides is left out";
    EXPECT_EQ(writers_text({{.pid = 7, .state = "active"}}), "pid 7 (active)");
    EXPECT_EQ(writers_text({{.pid = 1}, {.pid = 2}, {.pid = 3}, {.pid = 4}, {.pid = 5}}),
              "pid 1; pid 2; pid 3; and 2 more");
}

TEST(long_writers, leaves_out_who_has_only_begun) {
    const auto writers = long_writers({{.pid = 1, .age = 60s}, {.pid = 2, .age = 10ms}, {.pid = 3}});
    ASSERT_EQ(writers.size(), 2u);
    EXPECT_EQ(writers.at(0).pid, 1);
    EXPECT_EQ(writers.at(1).pid, 3) << "whose age is hidden may hold everything";
}

}  // namespace
}  // namespace sluice::cli
