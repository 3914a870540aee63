#include "broker/kafka/progress.hpp"

#include <array>

#include <gmock/gmock.h>

namespace sluice::broker::kafka {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(progress, has_its_floor_at_the_first_message_that_is_not_settled) {
    progress p{10};
    for (const std::int64_t offset : {10, 11, 12}) EXPECT_TRUE(p.arrived(offset));
    EXPECT_EQ(p.floor(), 10);
    EXPECT_TRUE(p.settled(12));
    EXPECT_TRUE(p.settled(11));
    EXPECT_EQ(p.floor(), 10) << "10 hangs";
    EXPECT_THAT(p.done_behind(), ElementsAre(11, 12));
    EXPECT_TRUE(p.settled(10));
    EXPECT_EQ(p.floor(), 13);
    EXPECT_THAT(p.done_behind(), IsEmpty());
}

TEST(progress, passes_over_gaps) {
    progress p{0};
    EXPECT_TRUE(p.arrived(3));
    EXPECT_TRUE(p.arrived(7));
    EXPECT_EQ(p.floor(), 3);
    p.settled(3);
    EXPECT_EQ(p.floor(), 7);
    p.settled(7);
    EXPECT_EQ(p.floor(), 8);
    EXPECT_EQ(p.in_hand(), 0U);
}

TEST(progress, hands_out_nothing_that_was_settled_before) {
    const std::array<std::int64_t, 2> done{11, 13};
    progress p{10, done};
    EXPECT_TRUE(p.arrived(10));
    EXPECT_FALSE(p.arrived(11));
    EXPECT_TRUE(p.arrived(12));
    EXPECT_FALSE(p.arrived(13));
    EXPECT_EQ(p.floor(), 10);
    p.settled(10);
    EXPECT_EQ(p.floor(), 12);
    p.settled(12);
    EXPECT_EQ(p.floor(), 14);
}

TEST(progress, settles_only_what_is_in_hand) {
    progress p{0};
    EXPECT_FALSE(p.settled(0)) << "it was not handed out";
    EXPECT_EQ(p.floor(), 0);
    EXPECT_TRUE(p.arrived(0));
    EXPECT_TRUE(p.settled(0));
    EXPECT_FALSE(p.settled(0));
    EXPECT_EQ(p.floor(), 1);
}

}  // namespace
}  // namespace sluice::broker::kafka
