#include <array>
#include <chrono>
#include <filesystem>
#include <memory>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "chance.hpp"
#include "chaos_test.hpp"
#include "service_files.hpp"
#include "service_process.hpp"

namespace {

constexpr int usual_kills = 60;

using sluice::chaos::seed;
using sluice::chaos::service_process;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

using sluice::chaos::eventually;
using sluice::chaos::is_set_up;
using sluice::chaos::kills;
using sluice::chaos::one_value;

/// The example of the pattern: the shop, fulfillment, and one who sends commands to the shop.
class pattern_chaos : public sluice::chaos::chaos_test {
protected:
    pattern_chaos() {
        for (const char* directory :
             {"shop/internal", "fulfillment/internal", "fulfillment_broker", "analytics_broker"}) {
            fs::create_directories(directory_ / directory);
        }
        // A dead owner's lane and a dead consumer's messages are taken over after a second, not after the default time.
        configure_as_example("shop", "shop",
                             "\nlease_seconds = 2\npublish_timeout_seconds = 1\n\n"
                             "[server.subscription]\nclaim_seconds = 1\nretry_delay_seconds = 0.05\n");
        configure_as_example("fulfillment", "fulfillment",
                             "\n[outbox]\nlease_seconds = 2\npublish_timeout_seconds = 1\n\n"
                             "[server.subscription]\nclaim_seconds = 1\nretry_delay_seconds = 0.05\n"
                             "messages_per_transaction = 5\n");
    }

    [[nodiscard]] fs::path shop_db() const { return directory_ / "shop/shop.db"; }
    [[nodiscard]] fs::path fulfillment_db() const { return directory_ / "fulfillment/fulfillment.db"; }
    [[nodiscard]] fs::path broker(const std::string& name) const { return directory_ / name / "broker.db"; }

    /// One order's whole life; each goes to whichever committer is alive.
    void send_order(int number) {
        const std::string id = R"("order_id": "o-)" + std::to_string(number) + "\"";
        send(*committer_, "PlaceOrder", id);
        send(*committer_, "AddNote", id + R"(, "note": "ring twice")");
        send(*committer_, "ShipOrder", id);
    }

    std::mt19937 random_{seed()};
    std::unique_ptr<service_process> shop_ = service(SHOP_DOMAIN, {"server"}, "shop");
    std::unique_ptr<service_process> fulfillment_ = service(FULFILLMENT_DOMAIN, {"server"}, "fulfillment");
    std::unique_ptr<service_process> committer_ = service(SHOP_DOMAIN, {"process", "-"}, "shop");
};

TEST_F(pattern_chaos, delivers_everything_once_and_in_order_through_sigkills) {
    shop_->start();
    fulfillment_->start();
    committer_->start();
    ASSERT_TRUE(eventually([&] { return is_set_up(shop_db()) && is_set_up(fulfillment_db()); }));

    const int wanted = kills(usual_kills);
    std::uniform_int_distribution<int> pause_ms{10, 250};
    std::uniform_int_distribution<int> victim{0, 2};
    int order = 0;
    for (int done = 0; done < wanted; ++done) {
        work_for(std::chrono::milliseconds{pause_ms(random_)}, 1ms, [&] { send_order(++order); });
        service_process& chosen =
            *std::array{shop_.get(), fulfillment_.get(), committer_.get()}[static_cast<std::size_t>(victim(random_))];
        chosen.kill();
        chosen.start();
    }
    committer_->terminate();

    const auto open_rows = [](const fs::path& file) {
        return one_value(file, "SELECT count(*) FROM outbox WHERE status <> 'published'");
    };
    const std::string shipped =
        one_value(shop_db(), "SELECT count(*) FROM event_log WHERE type = 'Shop.OrderShipped.v1'");
    EXPECT_TRUE(eventually([&] { return open_rows(shop_db()) == "0"; })) << open_rows(shop_db()) << " rows are open";
    EXPECT_TRUE(eventually([&] {
        return one_value(fulfillment_db(), "SELECT count(*) FROM aggregate_state WHERE aggregate = 'Shipment'") ==
               shipped;
    })) << "not every shipped order has a shipment";
    EXPECT_TRUE(eventually([&] {
        return one_value(shop_db(), "SELECT count(*) FROM aggregate_state WHERE aggregate = 'Notice'") == shipped;
    })) << "not every shipped order has a notice";
    EXPECT_TRUE(eventually([&] { return open_rows(fulfillment_db()) == "0"; }));

    // Order and exactly one copy, on every broker; only the internal one carries several events of one aggregate.
    expect_delivered_once_and_in_order(shop_db(), broker("fulfillment_broker"), "type = 'Shop.OrderShipped.v1'");
    expect_delivered_once_and_in_order(shop_db(), broker("analytics_broker"), "type = 'Shop.OrderShipped.v1'");
    expect_delivered_once_and_in_order(shop_db(), directory_ / "shop/internal/broker.db", "true");
    // No effect twice, and no message given up.
    EXPECT_EQ(
        one_value(fulfillment_db(), "SELECT count(*) FROM event_log WHERE type = 'Fulfillment.ShipmentCreated.v1'"),
        shipped);
    for (const fs::path& file : {broker("fulfillment_broker"), directory_ / "shop/internal/broker.db"}) {
        EXPECT_EQ(one_value(file, "SELECT count(*) FROM broker_dead_letter"), "0") << file;
        EXPECT_TRUE(eventually([&] { return one_value(file, "SELECT count(*) FROM broker_pending") == "0"; })) << file;
    }

    // Nothing is left locked: both leave tidily and give their leases back.
    EXPECT_EQ(shop_->terminate(), 0);
    EXPECT_EQ(fulfillment_->terminate(), 0);
    EXPECT_EQ(one_value(shop_db(), "SELECT count(*) FROM lease WHERE lane LIKE 'default:%' AND owner <> ''"), "0");
    std::printf("%d kills, %d orders sent, %s shipped\n", wanted, order, shipped.c_str());
}

}  // namespace
