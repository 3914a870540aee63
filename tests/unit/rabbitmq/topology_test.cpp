#include "broker/rabbitmq/topology.hpp"

#include <gmock/gmock.h>

namespace sluice::broker::rabbitmq {
namespace {

using ::testing::HasSubstr;

TEST(topology, names_routing_keys_and_queues_after_streams) {
    EXPECT_EQ(routing_key_of("shop::order"), "shop.order");
    EXPECT_EQ(routing_key_of("shop::order:backfill"), "shop.order-backfill");
    EXPECT_EQ(queue_of("billing", "shop::order"), "billing.shop.order");
}

TEST(topology, refuses_streams_that_a_binding_would_take_for_a_pattern) {
    EXPECT_EQ(objection_to("shop::order"), "");
    for (const std::string& stream : {std::string{"shop::*"}, std::string{"shop::#"}, std::string{"shop order"},
                                      std::string{"shop\r\n"}, std::string(256, 'x')}) {
        EXPECT_THAT(objection_to(stream), HasSubstr("stream")) << stream;
    }
}

}  // namespace
}  // namespace sluice::broker::rabbitmq
