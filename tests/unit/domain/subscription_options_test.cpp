#include <gtest/gtest.h>

#include <sluice/subscription_options.hpp>

#include <sluice/sluice.hpp>

// The options as docs/configuration.md shows them.
namespace shop {

class Order;

struct OrderShipped {
    static constexpr sluice::event_of<Order> contract{.published = true};
    sluice::identifier order_id;
};

class Order : public sluice::aggregate<Order> {
    sluice::identifier order_id_;
    BOOST_DESCRIBE_CLASS(Order, (), (), (), (order_id_))
};

struct ShipOrder {
    static constexpr sluice::command_of<Order> contract{};
    sluice::identifier order_id;
};

struct order_commands {
    void operator()(const ShipOrder&, sluice::context&) const {}
};
struct notify_customer {
    void operator()(const OrderShipped&, sluice::context&) const {}
};
struct shipment_events {
    void operator()(const sluice::message&, sluice::context&) const {}
};

void declare_handlers(sluice::domain& domain) {
    // clang-format off
// [options]
domain.event_handler<notify_customer, OrderShipped>({.profile = "fast", .max_retries = 10});
domain.subscriber<shipment_events>(
    {.broker = "partner_events", .stream = "fulfillment::shipment", .subscription = {.concurrency = 4}});
domain.command_handler<order_commands, ShipOrder>({.messages_per_tick = 20});  // for all commands to orders
// [/options]
    // clang-format on
}

TEST(subscription_options, are_given_with_the_handler) {
    sluice::domain domain{"shop"};
    domain.aggregate<Order>().events<OrderShipped>();
    declare_handlers(domain);
    domain.validate();
    const auto& declared = domain.declared();
    EXPECT_EQ(declared.event_handlers.at(0).options.max_retries, 10);
    EXPECT_EQ(declared.event_handlers.at(0).options.profile, "fast");
    EXPECT_EQ(declared.subscribers.at(0).options.concurrency, 4U);
    EXPECT_EQ(declared.commands.at("shop::ShipOrder").options.messages_per_tick, 20U);
}

TEST(subscription_options, say_nothing_unless_they_are_set) {
    EXPECT_EQ(sluice::subscription_options{},
              (sluice::subscription_options{.profile = "", .max_retries = std::nullopt}));
    EXPECT_FALSE(sluice::subscription_options{}.enable_dlq.has_value());
}

}  // namespace shop
