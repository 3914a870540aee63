#include "http/lane_health.hpp"

#include <gtest/gtest.h>

namespace sluice::http {
namespace {

using namespace std::chrono_literals;
using store::row_status;

class lane_health_test : public testing::Test {
protected:
    lane_health_test() { outbox_.external_brokers = {"partner"}; }

    [[nodiscard]] store::lane_status lease(const std::string& lane, const std::string& state) const {
        return {.lane = lane, .owner = "vm-1", .expires_at = now_ + 10s, .state = state, .detail = "detail of " + lane};
    }
    [[nodiscard]] lane_health partner(const lane_sources& from) const {
        return lanes_of(outbox_, "main", from, now_)[1];
    }

    config::outbox_settings outbox_;
    date_time now_ = date_time::parse("2026-11-23T08:00:00Z");
};

TEST_F(lane_health_test, there_is_one_for_each_broker_internal_first) {
    const auto lanes = lanes_of(outbox_, "main", {}, now_);
    ASSERT_EQ(lanes.size(), 2U);
    EXPECT_EQ(lanes[0].broker, "default");
    EXPECT_FALSE(lanes[0].external);
    EXPECT_EQ(lanes[1].broker, "partner");
    EXPECT_TRUE(lanes[1].external);
}

TEST_F(lane_health_test, nothing_is_known_while_the_database_is_silent) {
    const lane_health lane = partner({.known = false, .leases = {lease("main:partner", "idle")}, .counts = {{}}});
    EXPECT_EQ(lane.state, "unknown");
    EXPECT_FALSE(lane.open);
}

TEST_F(lane_health_test, shows_the_owners_report) {
    const lane_health lane = partner({.known = true, .leases = {lease("main:partner", "paused")}});
    EXPECT_EQ(lane.state, "paused");
    EXPECT_EQ(lane.detail, "detail of main:partner");
    EXPECT_FALSE(lane.open) << "not counted yet";
}

TEST_F(lane_health_test, a_lane_without_a_living_owner_has_stopped) {
    EXPECT_EQ(partner({.known = true}).state, "stopped");
    auto released = lease("main:partner", "draining");
    released.owner.clear();
    EXPECT_EQ(partner({.known = true, .leases = {released}}).state, "stopped");
    auto expired = lease("main:partner", "flowing");
    expired.expires_at = now_;
    EXPECT_EQ(partner({.known = true, .leases = {expired}}).state, "stopped");
    EXPECT_EQ(partner({.known = true, .leases = {expired}}).detail, "vm-1 has not renewed its lease");
}

TEST_F(lane_health_test, the_worst_shard_counts) {
    outbox_.lanes["partner"].shards = 3;
    const lane_health lane =
        partner({.known = true,
                 .leases = {lease("main:partner#1/3", "flowing"), lease("main:partner#2/3", "blocked"),
                            lease("main:partner#3/3", "idle"), lease("main:partner_b", "paused")}});
    EXPECT_EQ(lane.state, "blocked");
    EXPECT_EQ(lane.detail, "detail of main:partner#2/3");
    ASSERT_EQ(lane.shards.size(), 3U);
    EXPECT_EQ(lane.shards[2].part, (store::shard{3, 3}));
    EXPECT_EQ(lane.shards[2].state, "idle");
}

TEST_F(lane_health_test, a_shard_that_waits_for_another_number_of_shards_says_so) {
    outbox_.lanes["partner"].shards = 2;
    const lane_health lane = partner({.known = true, .leases = {lease("main:partner", "flowing")}});
    EXPECT_EQ(lane.state, "stopped");
    EXPECT_EQ(lane.detail, "waits for another number of shards to end: main:partner belongs to vm-1");
    EXPECT_TRUE(partner({.known = true, .leases = {lease("main:other", "flowing")}}).detail.empty());
}

TEST_F(lane_health_test, counts_what_is_open_refused_and_given_up) {
    store::outbox_counts counts{.by_status = {{row_status::pending, 3},
                                              {row_status::failed, 2},
                                              {row_status::abandoned, 4},
                                              {row_status::published, 100}},
                                .oldest_open = now_ - duration{90s}};
    lane_health lane = partner({.known = true, .leases = {}, .counts = {{{"partner", counts}}}});
    EXPECT_EQ(lane.open, 5);
    EXPECT_EQ(lane.failed, 2);
    EXPECT_EQ(lane.abandoned, 4);
    EXPECT_EQ(lane.oldest, duration{90s});

    counts.oldest_open = now_ + duration{1s};
    lane = partner({.known = true, .leases = {}, .counts = {{{"partner", counts}}}});
    EXPECT_EQ(lane.oldest, duration{0}) << "the clock of whoever committed is ahead";

    lane = partner({.known = true, .leases = {}, .counts = {{}}});
    EXPECT_EQ(lane.open, 0);
    EXPECT_FALSE(lane.oldest);
}

}  // namespace
}  // namespace sluice::http
