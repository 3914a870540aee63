#include "store/lane_layout.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <vector>

namespace sluice::store {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const date_time now = date_time::parse("2026-11-23T08:00:00Z");

lease_row owned(std::string lane, std::string owner) {
    return {.lane = std::move(lane), .owner = std::move(owner), .epoch = 4, .expires_at = now + 1s};
}

TEST(lane_layout, of_a_broker_that_never_had_a_lane_begins_at_nothing) {
    const auto plan = lane_layout::with("default:partner#2/2", {}, now);
    EXPECT_EQ(plan.obstacle, "");
    EXPECT_THAT(plan.created, ElementsAre("default:partner#1/2", "default:partner#2/2"));
    EXPECT_THAT(plan.retired, IsEmpty());
    EXPECT_EQ(plan.mark, 0);
    EXPECT_EQ(plan.epoch, 0U);
}

TEST(lane_layout, that_is_there_stays) {
    const std::vector rows{owned("default:partner#1/2", "me"), owned("default:partner#2/2", "you")};
    const auto plan = lane_layout::with("default:partner#1/2", rows, now);
    EXPECT_EQ(plan.obstacle, "");
    EXPECT_THAT(plan.created, IsEmpty());
    EXPECT_THAT(plan.retired, IsEmpty());
}

TEST(lane_layout, gives_way_when_the_calendar_was_set_back_since_its_lease_was_given) {
    const std::vector rows{owned("default:partner#1/2", "dead")};
    EXPECT_NE(lane_layout::with("default:partner", rows, now - 29s, 15s).obstacle, "");
    EXPECT_EQ(lane_layout::with("default:partner", rows, now - 30s, 15s).obstacle, "");
    EXPECT_EQ(lane_layout::with("default:partner", rows, now - 24h).obstacle, "")
        << "whatever it can be configured for";
}

TEST(lane_layout, gives_way_as_a_whole_when_nobody_owns_any_of_it) {
    std::vector rows{owned("default:partner#1/2", ""), owned("default:partner#2/2", "you")};
    EXPECT_EQ(lane_layout::with("default:partner", rows, now).obstacle, "default:partner#2/2 belongs to you");
    EXPECT_THAT(lane_layout::with("default:partner", rows, now).retired, IsEmpty());

    rows[1].expires_at = now;
    rows[0].mark = 70;
    rows[1].mark = 30;
    rows[1].epoch = 9;
    rows[0].rescan = 2;
    const auto plan = lane_layout::with("default:partner", rows, now);
    EXPECT_EQ(plan.obstacle, "");
    EXPECT_THAT(plan.retired, ElementsAre("default:partner#1/2", "default:partner#2/2"));
    EXPECT_THAT(plan.created, ElementsAre("default:partner"));
    EXPECT_EQ(plan.mark, 30);
    EXPECT_EQ(plan.epoch, 9U);
    EXPECT_EQ(plan.rescan, 2U);
}

}  // namespace
}  // namespace sluice::store
