#include <gtest/gtest.h>

#include <sluice/sluice.hpp>

namespace orders {

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

std::string problems_of(const sluice::domain& domain) {
    try {
        domain.validate();
    } catch (const sluice::configuration_error& e) {
        return e.what();
    }
    return {};
}

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

TEST(domain, refuses_a_name_that_leaves_nothing_for_a_stream) { EXPECT_NE(problems_of(sluice::domain{"!!!"}), ""); }

}  // namespace orders
