#include "store/lane_name.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace sluice::store {
namespace {

using ::testing::ElementsAre;

TEST(lane_name, joins_database_and_broker_and_gives_the_broker_back) {
    EXPECT_EQ(make_lane_name("default", "partner_events"), "default:partner_events");
    EXPECT_EQ(broker_of(make_lane_name("default", "partner_events")), "partner_events");
}

TEST(lane_name, names_a_shard_and_gives_it_back) {
    const auto name = make_lane_name("default", "partner_events", {2, 12});
    EXPECT_EQ(name, "default:partner_events#2/12");
    EXPECT_EQ(broker_of(name), "partner_events");
    EXPECT_EQ(shard_of(name), (shard{2, 12}));
}

TEST(lane_name, has_no_broker_without_a_colon) {
    EXPECT_EQ(broker_of("default"), "");
    EXPECT_EQ(broker_of(""), "");
}

TEST(lane_name, without_a_sensible_shard_means_the_whole) {
    for (const auto* name : {"default:partner", "default:partner#2", "default:partner#0/2", "default:partner#3/2",
                             "default:partner#a/2", "default:partner#1/65", "default:partner#1/2x", "maintenance"}) {
        EXPECT_TRUE(shard_of(name).is_whole()) << name;
    }
}

TEST(lane_name, tells_the_lanes_of_its_layout) {
    EXPECT_THAT(layout_of("default:partner"), ElementsAre("default:partner"));
    EXPECT_THAT(layout_of("maintenance"), ElementsAre("maintenance"));
    EXPECT_THAT(layout_of("default:partner#2/3"),
                ElementsAre("default:partner#1/3", "default:partner#2/3", "default:partner#3/3"));
}

TEST(lane_name, tells_who_shares_the_rows_of_a_broker) {
    EXPECT_TRUE(shares_rows("default:partner#1/2", "default:partner"));
    EXPECT_TRUE(shares_rows("shop:partner", "default:partner"));
    EXPECT_FALSE(shares_rows("default:partner", "default:partner2"));
    EXPECT_TRUE(shares_rows("maintenance", "maintenance"));
    EXPECT_FALSE(shares_rows("maintenance", "other"));
}

/// Rows that are waiting change their lane when these numbers change: they may not.
TEST(shard, is_found_by_the_first_bytes_of_a_hash_that_never_changes) {
    EXPECT_TRUE((shard{57745 % 64 + 1, 64}.carries("shop::order-o-1")));
    EXPECT_TRUE((shard{16759 % 64 + 1, 64}.carries("shop::order-o-2")));
    EXPECT_TRUE((shard{34965 % 3 + 1, 3}.carries("shop::order-o-3")));
    EXPECT_TRUE((shard{49534 % 64 + 1, 64}.carries("shop::order-ö")));
}

TEST(shard, each_stream_falls_to_exactly_one) {
    for (const int count : {1, 2, 3, 7, 64}) {
        std::vector<int> streams_of(std::size_t(count), 0);
        for (int i = 0; i < 1000; ++i) {
            const auto stream = "shop::order-" + std::to_string(i);
            int carriers = 0;
            for (int number = 1; number <= count; ++number) {
                if (!shard{number, count}.carries(stream)) continue;
                ++carriers;
                ++streams_of[std::size_t(number) - 1];
            }
            EXPECT_EQ(carriers, 1);
        }
        for (const int streams : streams_of) EXPECT_GT(streams, 1000 / count / 3) << "unevenly spread over " << count;
    }
}

}  // namespace
}  // namespace sluice::store
