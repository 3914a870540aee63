#include <gtest/gtest.h>

#include <sluice/message.hpp>

namespace sluice {
namespace {

TEST(message_type, is_taken_apart) {
    const message_type type{"Shop.OrderShipped.v12"};
    EXPECT_EQ(type.text(), "Shop.OrderShipped.v12");
    EXPECT_EQ(type.domain(), "Shop");
    EXPECT_EQ(type.name(), "OrderShipped");
    EXPECT_EQ(type.version(), 12);
}

TEST(message_type, names_the_event_exactly) {
    EXPECT_TRUE(message_type{"Shop.OrderShipped.v1"}.names("OrderShipped"));
    EXPECT_FALSE(message_type{"Shop.OrderShippedLate.v1"}.names("OrderShipped"));
    EXPECT_FALSE(message_type{"Shop.OrderShipped.v1"}.names("Order"));
    EXPECT_FALSE(message_type{"Shop.OrderShipped.v1"}.names("Shop.OrderShipped"));
}

TEST(message_type, lives_with_missing_parts) {
    EXPECT_EQ(message_type{"Shop.OrderShipped"}.name(), "OrderShipped");
    EXPECT_EQ(message_type{"Shop.OrderShipped"}.version(), 1);
    EXPECT_EQ(message_type{"OrderShipped"}.domain(), "");
    EXPECT_EQ(message_type{"OrderShipped.v2"}.name(), "OrderShipped");
    EXPECT_EQ(message_type{"OrderShipped.v2"}.domain(), "");
    EXPECT_EQ(message_type{""}.name(), "");
    EXPECT_EQ(message_type{""}.version(), 1);
}

TEST(message_type, takes_for_a_version_only_what_is_one) {
    for (const auto* text : {"Shop.v", "Shop.vX", "Shop.v1x", "Shop.v0", "Shop.v99999999999", "Shop.v-1"}) {
        EXPECT_EQ(message_type{text}.version(), 1) << text;
        EXPECT_EQ(message_type{text}.domain(), "Shop") << text;
    }
    EXPECT_EQ(message_type{"a.b.Thing.v3"}.domain(), "a.b");
    EXPECT_EQ(message_type{"v3"}.name(), "v3");
}

TEST(message_type, survives_a_copy) {
    const auto copy = [] {
        const message_type original{"Shop.OrderShipped.v1"};
        return original;
    }();
    EXPECT_EQ(copy.name(), "OrderShipped");
}

}  // namespace
}  // namespace sluice
