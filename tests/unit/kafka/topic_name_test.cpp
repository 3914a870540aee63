#include "broker/kafka/topic_name.hpp"

#include <gtest/gtest.h>

namespace sluice::broker::kafka {
namespace {

TEST(topic_name, is_that_of_the_stream_without_colons) {
    EXPECT_EQ(topic_of("", "shop::order"), "shop.order");
    EXPECT_EQ(topic_of("staging.", "shop::order:backfill"), "staging.shop.order-backfill");
}

TEST(topic_name, excludes_those_that_differ_in_dots_and_underscores_only) {
    EXPECT_EQ(taken_as("shop.order_item"), taken_as("shop.order.item"));
    EXPECT_NE(taken_as("shop.order-item"), taken_as("shop.order.item"));
}

TEST(topic_name, is_checked_before_anything_is_sent) {
    EXPECT_TRUE(is_topic_name("shop.order-1_A"));
    EXPECT_TRUE(is_topic_name(std::string(249, 'x')));
    EXPECT_FALSE(is_topic_name(std::string(250, 'x')));
    for (const char* name : {"", ".", "..", "a b", "a/b", "ä", "a:b", "a\n"}) EXPECT_FALSE(is_topic_name(name)) << name;
}

}  // namespace
}  // namespace sluice::broker::kafka
