#include <gtest/gtest.h>

#include <cmath>

#include <sluice/sluice.hpp>

#include "unit/domain/problems.hpp"

namespace orders {

using sluice::testing::problems_of;

class Order;
class OrderLine;

struct OrderPlaced {
    static constexpr sluice::event_of<Order> contract{.published = true, .version = 3};
    sluice::identifier order_id;
};

struct Unlisted {
    static constexpr sluice::event_of<Order> contract{};
    sluice::identifier order_id;
};

class Order : public sluice::aggregate<Order> {
    sluice::identifier order_id_;
    BOOST_DESCRIBE_CLASS(Order, (), (), (), (order_id_))
};

class OrderLine : public sluice::aggregate<OrderLine> {
    sluice::identifier line_id_;
    BOOST_DESCRIBE_CLASS(OrderLine, (), (), (), (line_id_))
};

struct PlaceOrder {
    static constexpr sluice::command_of<Order> contract{.name = "Place"};
    sluice::identifier order_id;
};

struct CancelOrder {
    static constexpr sluice::command_of<Order> contract{};
    sluice::identifier order_id;
};

struct cancel_handler {
    void operator()(const CancelOrder&, sluice::context&) const {}
};
struct handler {
    void operator()(const PlaceOrder&, sluice::context&) const {}
};
struct other_handler {
    void operator()(const PlaceOrder&, sluice::context&) const {}
};
struct reaction {
    template <class Event>
    void operator()(const Event&, sluice::context&) const {}
};
struct listener {
    void operator()(const sluice::message&, sluice::context&) const {}
};

TEST(domain, names_types_and_streams_as_the_wire_does) {
    sluice::domain domain{"E-Commerce 2.0"};
    domain.aggregate<Order>().events<OrderPlaced>();
    domain.aggregate<OrderLine>();
    domain.command_handler<handler, PlaceOrder>();
    const auto& declared = domain.declared();
    EXPECT_EQ(declared.aggregates.at("orders::OrderLine").category, "e_commerce_2_0::order_line");
    EXPECT_EQ(declared.events.at("orders::OrderPlaced").type, "ECommerce20.OrderPlaced.v3");
    EXPECT_EQ(declared.events.at("orders::OrderPlaced").fqn, "orders.OrderPlaced");
    EXPECT_TRUE(declared.events.at("orders::OrderPlaced").published);
    EXPECT_EQ(declared.commands.at("orders::PlaceOrder").type, "ECommerce20.Place.v1");
    EXPECT_NE(declared.command_by_name("Place"), nullptr);
    EXPECT_EQ(problems_of(domain), "");
}

TEST(domain, takes_a_stream_category_of_ones_own) {
    sluice::domain domain{"shop"};
    domain.aggregate<Order>({.stream_category = "purchases"});
    EXPECT_EQ(domain.declared().aggregates.at("orders::Order").category, "shop::purchases");
}

TEST(domain, reports_all_mistakes_of_a_declaration_at_once) {
    sluice::domain domain{"shop"};
    domain.aggregate<OrderLine>();
    domain.command_handler<handler, PlaceOrder>();
    domain.command_handler<other_handler, PlaceOrder>();
    domain.event_handler<reaction, Unlisted>();
    domain.subscriber<listener>({.broker = "default", .stream = ""});
    const std::string problems = problems_of(domain);
    EXPECT_NE(problems.find("command `Place` has two handlers"), std::string::npos) << problems;
    EXPECT_NE(problems.find("belongs to aggregate `orders::Order`, which is not declared"), std::string::npos);
    EXPECT_NE(problems.find("names event `orders::Unlisted`, which is not declared"), std::string::npos);
    EXPECT_NE(problems.find("subscriber `orders.listener` has no stream"), std::string::npos);
}

TEST(domain, keeps_the_subscription_options_of_each_handler) {
    sluice::domain domain{"shop"};
    domain.aggregate<Order>().events<OrderPlaced>();
    domain.command_handler<handler, PlaceOrder>({.max_retries = 1});
    domain.event_handler<reaction, OrderPlaced>({.profile = "fast", .retry_delay_seconds = 0.5});
    domain.subscriber<listener>({.stream = "a::b", .subscription = {.enable_dlq = false}});
    EXPECT_EQ(problems_of(domain), "");
    const auto& declared = domain.declared();
    EXPECT_EQ(declared.commands.at("orders::PlaceOrder").options, (sluice::subscription_options{.max_retries = 1}));
    EXPECT_EQ(declared.event_handlers.at(0).options,
              (sluice::subscription_options{.profile = "fast", .retry_delay_seconds = 0.5}));
    EXPECT_EQ(declared.subscribers.at(0).options, (sluice::subscription_options{.enable_dlq = false}));
}

TEST(domain, names_handler_key_and_value_of_an_option_out_of_range) {
    sluice::domain domain{"shop"};
    domain.aggregate<Order>().events<OrderPlaced>();
    domain.command_handler<handler, PlaceOrder>({.concurrency = 0});
    domain.event_handler<reaction, OrderPlaced>({.messages_per_tick = 0, .claim_seconds = std::nan("")});
    domain.subscriber<listener>({.stream = "a::b", .subscription = {.retry_delay_seconds = -1}});
    const std::string problems = problems_of(domain);
    EXPECT_NE(problems.find("command handler `orders.handler` has the subscription option concurrency = 0, which is "
                            "not from 1 to 256; change it, or leave it out"),
              std::string::npos)
        << problems;
    EXPECT_NE(problems.find("event handler `orders.reaction` has the subscription option messages_per_tick = 0, which "
                            "is not from 1 to 10000"),
              std::string::npos)
        << problems;
    EXPECT_NE(problems.find("claim_seconds = nan, which is not from 1 to 86400"), std::string::npos) << problems;
    EXPECT_NE(problems.find("subscriber `orders.listener` has the subscription option retry_delay_seconds = -1, which "
                            "is not from 0 to 86400"),
              std::string::npos)
        << problems;
}

TEST(domain, command_handlers_of_one_category_must_not_contradict_each_other) {
    const auto declare = [](const sluice::subscription_options& one, const sluice::subscription_options& other) {
        sluice::domain domain{"shop"};
        domain.aggregate<Order>().events<OrderPlaced>();
        domain.command_handler<handler, PlaceOrder>(one);
        domain.command_handler<cancel_handler, CancelOrder>(other);
        return problems_of(domain);
    };
    EXPECT_EQ(declare({.max_retries = 2}, {.max_retries = 2, .concurrency = 4}), "");
    EXPECT_NE(declare({.max_retries = 2}, {.max_retries = 3})
                  .find("command handlers `orders.cancel_handler` and `orders.handler` have max_retries = 3 and 2 for "
                        "the one subscription of the commands of `shop::order`; say it in one of them"),
              std::string::npos)
        << declare({.max_retries = 2}, {.max_retries = 3});
    EXPECT_NE(declare({.profile = "fast"}, {.profile = "batch"}).find("have profile = "), std::string::npos);
}

TEST(domain, refuses_a_name_that_leaves_nothing_for_a_stream) { EXPECT_NE(problems_of(sluice::domain{"!!!"}), ""); }

}  // namespace orders
