#include "cli/status_view.hpp"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

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

TEST(view_lanes, the_lease_of_another_database_is_not_meant) {
    const lane_view lane = view_lanes(outbox(), "default", {}, {lease("other:partner", now + minute)}, now).at(1);
    EXPECT_EQ(lane.state, "stopped");
}

}  // namespace
}  // namespace sluice::cli
