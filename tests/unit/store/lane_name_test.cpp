#include "store/lane_name.hpp"

#include <gtest/gtest.h>

namespace sluice::store {
namespace {

TEST(lane_name, joins_database_and_broker_and_gives_the_broker_back) {
    EXPECT_EQ(make_lane_name("default", "partner_events"), "default:partner_events");
    EXPECT_EQ(broker_of(make_lane_name("default", "partner_events")), "partner_events");
}

TEST(lane_name, leaves_the_number_of_a_shard_out_of_the_broker) {
    EXPECT_EQ(broker_of("default:partner_events#2"), "partner_events");
}

TEST(lane_name, has_no_broker_without_a_colon) {
    EXPECT_EQ(broker_of("default"), "");
    EXPECT_EQ(broker_of(""), "");
}

}  // namespace
}  // namespace sluice::store
