#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <sluice/sluice.hpp>

#include "broker/inline/inline_broker.hpp"
#include "command/invocation.hpp"
#include "engine/engine.hpp"
#include "store/memory/memory_database.hpp"
#include "support/consumer.hpp"
#include "support/eventually.hpp"

// The domain of docs/events.md, whose code is taken from here.
namespace shop {

class Order;

// [event]
struct OrderShipped {
    static constexpr sluice::event_of<Order> contract{.published = true, .version = 3};

    sluice::identifier order_id;
    std::string carrier;            // since version 2
    std::int64_t weight_grams = 0;  // since version 3; before, `weight` in kilograms
};
// [/event]

// [upcaster]
sluice::json::object grams_from_kilograms(sluice::json::object data) {
    data.set("weight_grams", data.at("weight").as_int() * 1000);
    data.erase("weight");
    return data;
}
// [/upcaster]

// [older]
sluice::json::object kilograms_from_grams(sluice::json::object data) {
    data.set("weight", data.at("weight_grams").as_int() / 1000);
    data.erase("weight_grams");
    return data;
}
// [/older]

// [aliases]
class Order : public sluice::aggregate<Order> {
public:
    static constexpr auto aliases = sluice::aliases({{"weight", "weight_grams"}, {"number", "order_id"}});
    // [/aliases]
    Order() = default;
    Order(const sluice::identifier& id, std::int64_t weight) : order_id_{id}, weight_grams_{weight} {
        raise(OrderShipped{.order_id = id, .carrier = "owl", .weight_grams = weight});
    }

private:
    sluice::identifier order_id_;
    std::int64_t weight_grams_ = 0;
    BOOST_DESCRIBE_CLASS(Order, (), (), (), (order_id_, weight_grams_))
};

struct ShipOrder {
    static constexpr sluice::command_of<Order> contract{};
    sluice::identifier order_id;
    std::int64_t weight_grams = 0;
};

struct order_commands {
    void operator()(const ShipOrder& command, sluice::context& shop) const {
        shop.repository<Order>().add(Order{command.order_id, command.weight_grams});
    }
};

/// What the handler was told, by its own thread.
struct diary {
    std::mutex mutex;
    std::vector<std::string> lines;

    [[nodiscard]] std::vector<std::string> read() {
        const std::lock_guard lock{mutex};
        return lines;
    }
};

struct weigh_shipments {
    std::shared_ptr<diary> told;

    void operator()(const OrderShipped& e, sluice::context& /*shop*/) const {
        const std::lock_guard lock{told->mutex};
        told->lines.push_back(e.order_id.str() + " " + e.carrier + " " + std::to_string(e.weight_grams));
    }
};

sluice::domain make_domain(const std::shared_ptr<diary>& told) {
    sluice::domain shop{"shop"};
    shop.aggregate<Order>().events<OrderShipped>();
    shop.command_handler<order_commands, ShipOrder>();
    shop.event_handler<weigh_shipments, OrderShipped>(weigh_shipments{told});
    // [declaration]
    shop.upcaster<OrderShipped, sluice::from<1>, sluice::to<2>>([](sluice::json::object data) {
        data.set("carrier", "unknown");
        return data;
    });
    shop.upcaster<OrderShipped, sluice::from<2>, sluice::to<3>>(grams_from_kilograms);

    shop.also_published<OrderShipped, sluice::as_version<2>>(kilograms_from_grams);
    // [/declaration]
    return shop;
}

}  // namespace shop

namespace sluice {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

/// The shop with an engine, its internal broker and a partner's.
class evolving_events : public ::testing::Test {
protected:
    evolving_events() {
        database_->setup();
        configuration_.outbox.external_brokers = {"partner"};
        configuration_.outbox.lanes["partner"].terms.extensions = {"tenant"};
        commit::adapters parts;
        parts.databases.emplace("default", database_);
        parts.brokers.emplace("default", inner_);
        parts.brokers.emplace("partner", partner_);
        domain_.enrich_events([](const enrichment_input&) {
            return json::object{{"tenant", "acme"}, {"user", "SECRET"}};
        });
        domain_.validate();
        env_ = std::make_unique<commit::environment>(domain_.declared(), configuration_, parts, system_clock(),
                                                     base::system_random());
    }

    void publish_inside(const std::string& id, const std::string& type, const std::string& data) {
        const std::string body = R"({"data":)" + data + R"(,"metadata":{"headers":{"id":")" + id + R"(","type":")" +
                                 type + R"(","stream":"shop::order-)" + id + R"("}}})";
        const std::string key = "shop::order-" + id;
        const broker::outgoing message{.stream = "shop::order", .message_id = id, .key = key, .body = body};
        ASSERT_TRUE(
            std::holds_alternative<broker::delivered>(inner_->open_publisher()->publish({&message, 1}, {}, 1s).at(0)));
    }

    std::shared_ptr<shop::diary> told_ = std::make_shared<shop::diary>();
    domain domain_ = shop::make_domain(told_);
    config::configuration configuration_;
    std::shared_ptr<store::database> database_{store::make_memory_database("shop")};
    std::shared_ptr<broker::broker> inner_ = broker::make_inline_broker("default");
    std::shared_ptr<broker::broker> partner_ = broker::make_inline_broker("partner");
    std::unique_ptr<commit::environment> env_;
};

TEST_F(evolving_events, of_older_versions_arrive_in_the_current_one) {
    publish_inside("o-1", "Shop.OrderShipped.v1", R"({"order_id":"o-1","weight":2})");
    publish_inside("o-2", "Shop.OrderShipped.v2", R"({"order_id":"o-2","carrier":"stork","weight":3})");
    engine::engine engine{*env_};
    engine.start();
    EXPECT_TRUE(testing::eventually([&] { return told_->read().size() == 2; }));
    EXPECT_TRUE(engine.stop());
    EXPECT_THAT(told_->read(), ElementsAre("o-1 unknown 2000", "o-2 stork 3000"));
}

TEST_F(evolving_events, a_partner_of_the_older_version_gets_it_right_after_the_newest) {
    engine::engine engine{*env_};
    engine.start();
    command::make_context(*env_).process(shop::ShipOrder{.order_id = "o-1", .weight_grams = 5000});
    command::make_context(*env_).process(shop::ShipOrder{.order_id = "o-2", .weight_grams = 7000});
    const auto published = [&] {
        const auto summary = database_->open_operations()->outbox_summary();
        const auto found = summary.find("partner");
        return found != summary.end() && found->second.by_status.contains(store::row_status::published) &&
               found->second.by_status.at(store::row_status::published) == 2;
    };
    EXPECT_TRUE(testing::eventually([&] { return published() && told_->read().size() == 2; }));
    EXPECT_TRUE(engine.stop());

    std::vector<std::string> got;
    const auto reader = sluice::testing::open_consumer(*partner_, "shop::order",
                                                       {.group = "reader", .consumer = "reader-0", .claim = 30s});
    for (const auto& each : reader->read(10, system_clock().now())) {
        const auto m = message::decode(each.body);
        got.push_back(m.id() + " " + m.type().text() + " " + json::dump(m.data()));
        EXPECT_EQ(each.body.find("SECRET"), std::string::npos) << each.body;
        EXPECT_NE(each.body.find(R"("extensions":{"tenant":"acme"})"), std::string::npos) << each.body;
    }
    EXPECT_THAT(
        got, ElementsAre(
                 R"(shop::order-o-1-0.1 Shop.OrderShipped.v3 {"order_id":"o-1","carrier":"owl","weight_grams":5000})",
                 R"(shop::order-o-1-0.1~v2 Shop.OrderShipped.v2 {"order_id":"o-1","carrier":"owl","weight":5})",
                 R"(shop::order-o-2-0.1 Shop.OrderShipped.v3 {"order_id":"o-2","carrier":"owl","weight_grams":7000})",
                 R"(shop::order-o-2-0.1~v2 Shop.OrderShipped.v2 {"order_id":"o-2","carrier":"owl","weight":7})"));
    EXPECT_THAT(told_->read(), ElementsAre("o-1 owl 5000", "o-2 owl 7000")) << "inside there is only the event";
}

}  // namespace
}  // namespace sluice
