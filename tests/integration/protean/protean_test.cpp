#include <filesystem>
#include <fstream>
#include <mutex>

#include <gmock/gmock.h>

#include <sluice/sluice.hpp>

#include "broker/redis/redis_broker.hpp"
#include "command/invocation.hpp"
#include "engine/engine.hpp"
#include "integration/redis/redis_fixture.hpp"
#include "store/memory/memory_database.hpp"
#include "support/shell.hpp"

namespace shop {

class Order;

struct OrderShipped {
    static constexpr sluice::event_of<Order> contract{.published = true};
    sluice::identifier order_id;
    std::optional<sluice::string<50>> carrier{};
    std::optional<double> weight{};
};

class Order : public sluice::aggregate<Order> {
public:
    Order() = default;
    explicit Order(sluice::identifier id) : order_id_{std::move(id)} {
        raise(OrderShipped{.order_id = order_id_, .carrier = "Käthe & Söhne", .weight = 2.0});
    }

private:
    sluice::identifier order_id_;

    BOOST_DESCRIBE_CLASS(Order, (), (), (), (order_id_))
};

struct ShipOrder {
    static constexpr sluice::command_of<Order> contract{};
    sluice::identifier order_id;
};

struct order_commands {
    void operator()(const ShipOrder& c, sluice::context& in) const { in.repository<Order>().add(Order{c.order_id}); }
};

/// What arrived, one line each.
struct logbook {
    void note(std::string line) {
        const std::lock_guard lock{mutex};
        entries.push_back(std::move(line));
    }
    std::vector<std::string> read() {
        const std::lock_guard lock{mutex};
        return entries;
    }

    std::mutex mutex;
    std::vector<std::string> entries;
};

struct ledger {
    void operator()(const OrderShipped& e, sluice::context& /*in*/) const {
        if (e.order_id.str() == "poison") throw std::runtime_error{"no such order"};
        book->note(fmt::format("{} by {} with {}", e.order_id.str(), e.carrier.value().str(), e.weight.value()));
    }
    std::shared_ptr<logbook> book;
};

struct inbox {
    void operator()(const sluice::message& m, sluice::context& /*in*/) const {
        book->note(fmt::format("{} {} of {}: {} by {}", m.type().text(), m.id(), m.metadata().headers.stream,
                               m.data().at("order_id").as_string(), m.data().at("carrier").as_string()));
    }
    std::shared_ptr<logbook> book;
};

}  // namespace shop

namespace sluice::broker::redis_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// Two Redis databases, the internal broker and the partner's; a Python process on one side and an engine on the other.
class protean : public redis_test {
protected:
    void SetUp() override {
        std::ifstream file{std::filesystem::path{PROTEAN_ENVIRONMENT} / "unavailable"};
        if (std::string reason; std::getline(file, reason)) GTEST_SKIP() << reason;
    }

    [[nodiscard]] std::string internal() const { return server_.uri() + "/0"; }
    [[nodiscard]] std::string partner() const { return server_.uri() + "/1"; }

    /// Runs the Python side and returns the lines it printed.
    strings peer(const std::string& arguments) const {
        const auto output = sluice::testing::run_command(
            fmt::format("PYTHONWARNINGS=ignore {}/bin/python {} {}", sluice::testing::shell_word(PROTEAN_ENVIRONMENT),
                        sluice::testing::shell_word(PROTEAN_PEER), arguments));
        strings result;
        for (auto& line : lines(output)) {
            if (line.starts_with('{')) result.push_back(std::move(line));
        }
        return result;
    }

    struct service {
        std::unique_ptr<domain> declared;
        std::unique_ptr<commit::environment> env;
        std::unique_ptr<engine::engine> engine;
    };
    /// Starts a domain whose brokers are those of the fixture.
    service start(domain what, bool with_partner, const std::string& default_uri) const {
        service result;
        result.declared = std::make_unique<domain>(std::move(what));
        result.declared->validate();
        config::configuration settings;
        settings.server.subscription.retry_delay_seconds = 0.01;
        commit::adapters parts;
        const std::shared_ptr<store::database> database = store::make_memory_database("default");
        database->setup();
        parts.databases.emplace("default", database);
        parts.brokers.emplace("default", connect({.uri = default_uri}));
        if (with_partner) {
            settings.outbox.external_brokers = {"partner_events"};
            parts.brokers.emplace("partner_events", connect({.uri = partner()}));
        }
        result.env = std::make_unique<commit::environment>(result.declared->declared(), settings, parts, system_clock(),
                                                           base::system_random());
        result.engine = std::make_unique<engine::engine>(*result.env);
        result.engine->start();
        return result;
    }
    domain shop_domain(bool with_ledger) const {
        domain d{"shop"};
        d.aggregate<shop::Order>().events<shop::OrderShipped>();
        d.command_handler<shop::order_commands, shop::ShipOrder>();
        if (with_ledger) d.event_handler<shop::ledger, shop::OrderShipped>(shop::ledger{book_});
        return d;
    }
    static void ship(service& from, const strings& orders) {
        auto in = command::make_context(*from.env);
        for (const auto& id : orders) in.process(shop::ShipOrder{.order_id = id});
    }
    void await_entries(std::size_t internal_count, std::size_t partner_count) const {
        ASSERT_TRUE(eventually([&] {
            return server_.cli({"xlen", order_stream}) == std::to_string(internal_count) &&
                   server_.cli({"-n", "1", "xlen", order_stream}) == std::to_string(partner_count);
        }));
    }

    std::shared_ptr<shop::logbook> book_ = std::make_shared<shop::logbook>();
};

TEST_F(protean, event_handler_reads_what_sluice_publishes_inside) {
    auto sluice = start(shop_domain(false), true, internal());
    ship(sluice, {"o-1", "o-2"});
    await_entries(2, 2);
    const auto got = peer("handle --expect 2 --internal " + internal());
    ASSERT_THAT(got, SizeIs(2));
    for (std::size_t i = 0; i < got.size(); ++i) {
        const auto event = json::parse(got[i]);
        const auto order = fmt::format("o-{}", i + 1);
        EXPECT_EQ(event.at("order_id").as_string(), order);
        EXPECT_EQ(event.at("carrier").as_string(), "Käthe &amp; Söhne") << "Protean sanitises texts, also read ones";
        EXPECT_EQ(event.at("weight").as_number().text, "2.0");
        EXPECT_EQ(event.at("id").as_string(), fmt::format("shop::order-{}-0.1", order));
    }
    EXPECT_EQ(server_.cli({"exists", "shop::order:dlq"}), "0") << "Python rejected nothing";
}

TEST_F(protean, subscriber_reads_what_sluice_publishes_abroad) {
    auto sluice = start(shop_domain(false), true, internal());
    ship(sluice, {"o-1", "o-2"});
    await_entries(2, 2);
    const auto got = peer("subscribe --expect 2 --internal " + server_.uri() + "/2 --partner " + partner());
    ASSERT_THAT(got, SizeIs(2));
    const auto message = json::parse(got[1]);
    EXPECT_EQ(message.at("data").at("order_id").as_string(), "o-2");
    EXPECT_EQ(message.at("metadata").at("headers").at("type").as_string(), "Shop.OrderShipped.v1");
    EXPECT_EQ(message.at("metadata").at("headers").at("stream").as_string(), "shop::order-o-2");
    EXPECT_EQ(message.at("metadata").at("domain").at("fqn").as_string(), "shop.OrderShipped");
    EXPECT_FALSE(message.at("metadata").at("domain").contains("asynchronous")) << "that stays inside";
}

TEST_F(protean, events_of_its_inside_are_handled_by_sluice) {
    peer("publish o-1 o-2 --internal " + internal() + " --partner " + partner());
    await_entries(2, 2);
    auto sluice = start(shop_domain(true), false, internal());
    ASSERT_TRUE(eventually([&] { return book_->read().size() == 2; }));
    EXPECT_THAT(book_->read(), ElementsAre("o-1 by Käthe &amp; Söhne with 2", "o-2 by Käthe &amp; Söhne with 2"))
        << "as it sanitised them";
    EXPECT_EQ(server_.cli({"exists", "shop::order:dlq"}), "0");
}

TEST_F(protean, events_that_it_publishes_reach_a_subscriber_of_sluice) {
    peer("publish o-1 o-2 --internal " + internal() + " --partner " + partner());
    await_entries(2, 2);
    domain fulfillment{"fulfillment"};
    fulfillment.subscriber<shop::inbox>({.broker = "default", .stream = order_stream}, shop::inbox{book_});
    auto sluice = start(std::move(fulfillment), false, partner());
    ASSERT_TRUE(eventually([&] { return book_->read().size() == 2; }));
    EXPECT_THAT(book_->read(),
                ElementsAre("Shop.OrderShipped.v1 shop::order-o-1-0.1 of shop::order-o-1: o-1 by Käthe &amp; Söhne",
                            "Shop.OrderShipped.v1 shop::order-o-2-0.1 of shop::order-o-2: o-2 by Käthe &amp; Söhne"));
}

TEST_F(protean, tools_read_the_dead_letters_of_sluice) {
    auto sluice = start(shop_domain(true), false, internal());
    ship(sluice, {"poison"});
    const auto operations = sluice.env->broker("default").open_operations();
    ASSERT_TRUE(eventually([&] { return operations->dead_letters({}).size() == 1; }));
    const auto got = peer("dlq --internal " + internal());
    ASSERT_THAT(got, SizeIs(1));
    const auto entry = json::parse(got[0]);
    EXPECT_EQ(entry.at("stream").as_string(), order_stream);
    EXPECT_EQ(entry.at("group").as_string(), "shop.ledger");
    EXPECT_EQ(entry.at("retries").as_int(), 3);
    EXPECT_THAT(entry.at("reason").as_string(), HasSubstr("no such order"));
    EXPECT_EQ(entry.at("payload").at("data").at("order_id").as_string(), "poison");
}

}  // namespace
}  // namespace sluice::broker::redis_test
