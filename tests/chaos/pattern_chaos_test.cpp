#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "chance.hpp"
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
using sluice::chaos::query;
using sluice::chaos::row;

/// The example of the pattern: the shop, fulfillment, and one who sends commands to the shop.
class pattern_chaos : public testing::Test {
protected:
    void SetUp() override {
        root_ = fs::temp_directory_path() / ("sluice-chaos-" + std::to_string(random_()));
        for (const char* directory :
             {"shop/internal", "fulfillment/internal", "fulfillment_broker", "analytics_broker"}) {
            fs::create_directories(root_ / directory);
        }
        // A dead owner's lane and a dead consumer's messages are taken over after a second, not after the default time.
        configure("shop",
                  "\nlease_seconds = 2\npublish_timeout_seconds = 1\n\n[server.subscription]\nclaim_seconds = "
                  "1\nretry_delay_seconds = 0.05\n");
        configure("fulfillment",
                  "\n[outbox]\nlease_seconds = 2\npublish_timeout_seconds = 1\n\n[server.subscription]\nclaim_seconds "
                  "= 1\nretry_delay_seconds = 0.05\n");
        shop_ = service("shop", {"server"}, SHOP_DOMAIN);
        fulfillment_ = service("fulfillment", {"server"}, FULFILLMENT_DOMAIN);
        committer_ = service("shop", {"process", "-"}, SHOP_DOMAIN);
    }

    void TearDown() override {
        shop_.reset();
        fulfillment_.reset();
        committer_.reset();
        if (!HasFailure())
            fs::remove_all(root_);
        else
            std::printf("everything is kept in %s\n", root_.c_str());
    }

    void configure(const std::string& name, const std::string& more) const {
        std::ifstream example{fs::path{EXAMPLES} / name / "domain.toml"};
        const std::string text{std::istreambuf_iterator{example}, {}};
        // What follows is the overlay for servers.
        std::ofstream{root_ / name / "domain.toml"} << text.substr(0, text.find("\n# The same service on servers"))
                                                    << more;
    }

    [[nodiscard]] std::unique_ptr<service_process> service(const std::string& name, std::vector<std::string> words,
                                                           const std::string& domain) const {
        words.insert(words.begin(), SLUICE_PROGRAM);
        words.push_back("--domain=" + domain);
        return std::make_unique<service_process>(words, root_ / name, root_ / (name + "-" + words[1] + ".log"));
    }

    [[nodiscard]] fs::path shop_db() const { return root_ / "shop/shop.db"; }
    [[nodiscard]] fs::path fulfillment_db() const { return root_ / "fulfillment/fulfillment.db"; }
    [[nodiscard]] fs::path broker(const std::string& name) const { return root_ / name / "broker.db"; }

    /// One order's whole life; each goes to whichever committer is alive.
    void send_order(int number) {
        const std::string id = R"("order_id": "o-)" + std::to_string(number) + "\"";
        send(R"({"command": "PlaceOrder", "data": {)" + id + "}}");
        send(R"({"command": "AddNote", "data": {)" + id + R"(, "note": "ring twice"}})");
        send(R"({"command": "ShipOrder", "data": {)" + id + "}}");
    }
    void send(const std::string& line) {
        if (!committer_->running() || !committer_->write_line(line)) committer_->start();
    }

    /// @param events  SQL condition for the events that belong on this broker
    void expect_delivered_once_and_in_order(const fs::path& broker_file, const std::string& events) const {
        std::map<std::string, std::vector<std::string>> committed;
        for (const row& r : query(shop_db(), "SELECT stream, message_id FROM event_log WHERE " + events +
                                                 " ORDER BY stream, position")) {
            committed[r[0]].push_back(r[1]);
        }
        std::map<std::string, std::vector<std::string>> delivered;
        for (const row& r : query(broker_file, "SELECT key, message_id FROM broker_message ORDER BY id")) {
            delivered[r[0]].push_back(r[1]);
        }
        EXPECT_EQ(delivered, committed) << broker_file;
        EXPECT_FALSE(committed.empty());
    }

    std::mt19937 random_{seed()};
    fs::path root_;
    std::unique_ptr<service_process> shop_;
    std::unique_ptr<service_process> fulfillment_;
    std::unique_ptr<service_process> committer_;
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
        const auto strike = std::chrono::steady_clock::now() + std::chrono::milliseconds{pause_ms(random_)};
        while (std::chrono::steady_clock::now() < strike) {
            send_order(++order);
            std::this_thread::sleep_for(1ms);
        }
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
    expect_delivered_once_and_in_order(broker("fulfillment_broker"), "type = 'Shop.OrderShipped.v1'");
    expect_delivered_once_and_in_order(broker("analytics_broker"), "type = 'Shop.OrderShipped.v1'");
    expect_delivered_once_and_in_order(root_ / "shop/internal/broker.db", "true");
    // No effect twice, and no message given up.
    EXPECT_EQ(
        one_value(fulfillment_db(), "SELECT count(*) FROM event_log WHERE type = 'Fulfillment.ShipmentCreated.v1'"),
        shipped);
    for (const fs::path& file : {broker("fulfillment_broker"), root_ / "shop/internal/broker.db"}) {
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
