#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "chance.hpp"
#include "chaos_test.hpp"
#include "service_files.hpp"
#include "service_process.hpp"

/// Several `sluice server` processes on one database, whose lanes are in shards.
namespace {

constexpr int usual_kills = 5;

using sluice::chaos::eventually;
using sluice::chaos::is_set_up;
using sluice::chaos::kills;
using sluice::chaos::one_value;
using sluice::chaos::query;
using sluice::chaos::row;
using sluice::chaos::service_process;
using namespace std::chrono_literals;

using steady = std::chrono::steady_clock;

constexpr auto lease = 2s;

class several_engines : public sluice::chaos::chaos_test {
protected:
    several_engines() { configure(3); }

    void configure(int shards) const {
        std::ofstream{directory_ / "domain.toml"} << R"([databases.default]
provider = "sqlite"
database_uri = "shop.db"
synchronous = "normal"
[brokers.default]
provider = "sqlite"
URI = "internal.db"
synchronous = "normal"
[brokers.partner]
provider = "sqlite"
URI = "partner.db"
synchronous = "normal"
[outbox]
external_brokers = ["partner"]
messages_per_tick = 5
tick_interval = 0.2
lease_seconds = )" << lease.count() << R"(
publish_timeout_seconds = 1
[outbox.lanes.default]
shards = )" << shards << R"(
[outbox.lanes.partner]
shards = )" << shards << R"(
[server]
shutdown_seconds = 5
health.enabled = false
)";
    }

    void start_engines(int count) {
        engines_.clear();
        for (int i = 0; i < count; ++i) {
            engines_.push_back(service(SHOP_DOMAIN, {"server"}));
            engines_.back()->start();
        }
    }

    /// Commits events of a few orders for a while.
    void commit_for(std::chrono::milliseconds time) {
        work_for(time, 2ms, [&] {
            const std::string id = R"("order_id": "o-)" + std::to_string(++orders_) + "\"";
            send(*committer_, "PlaceOrder", id);
            send(*committer_, "AddNote", id + R"(, "note": "ring twice")");
            send(*committer_, "ShipOrder", id);
        });
    }

    /// The living owners by lane.
    [[nodiscard]] std::map<std::string, std::string> owners() const {
        std::map<std::string, std::string> found;
        for (const row& r : query(shop_db(),
                                  "SELECT lane, owner FROM lease WHERE lane LIKE '%:%' AND owner <> ''"
                                  " AND expires_at > strftime('%Y-%m-%dT%H:%M:%f', 'now')")) {
            found[r[0]] = r[1];
        }
        return found;
    }
    /// Everything committed was delivered, once, and in order within each stream.
    void expect_all_delivered() {
        EXPECT_TRUE(eventually([&] { return open_rows() == "0"; })) << open_rows() << " rows are open";
        for (const std::string broker : {"internal", "partner"}) {
            const std::string events = broker == "partner" ? "type = 'Shop.OrderShipped.v1'" : "true";
            EXPECT_GT(expect_delivered_once_and_in_order(shop_db(), directory_ / (broker + ".db"), events), 20U);
        }
    }
    [[nodiscard]] std::string open_rows() const {
        return one_value(shop_db(), "SELECT count(*) FROM outbox WHERE status <> 'published'");
    }
    [[nodiscard]] std::filesystem::path shop_db() const { return directory_ / "shop.db"; }

    std::vector<std::unique_ptr<service_process>> engines_;
    std::unique_ptr<service_process> committer_ = service(SHOP_DOMAIN, {"process", "-"});
    int orders_ = 0;
};

TEST_F(several_engines, take_over_the_shards_of_one_that_was_killed_and_keep_the_order) {
    committer_->start();
    commit_for(100ms);
    ASSERT_TRUE(eventually([&] { return is_set_up(shop_db()); }));
    start_engines(3);
    ASSERT_TRUE(eventually([&] { return owners().size() == 6; })) << "not every shard has an owner";

    auto longest = 0ms;
    for (int done = 0; done < kills(usual_kills); ++done) {
        commit_for(200ms);
        const auto before = owners();
        if (before.empty()) continue;
        // The one that owns most; the owner's name tells its process.
        std::map<std::string, int> lanes_of;
        for (const auto& [lane, owner] : before) ++lanes_of[owner];
        const auto most = std::max_element(lanes_of.begin(), lanes_of.end(),
                                           [](const auto& a, const auto& b) { return a.second < b.second; });
        const auto victim = std::find_if(engines_.begin(), engines_.end(), [&](const auto& engine) {
            return most->first.find("-" + std::to_string(engine->pid()) + "-") != std::string::npos;
        });
        ASSERT_NE(victim, engines_.end()) << most->first;
        (*victim)->kill();
        const auto killed = steady::now();
        ASSERT_TRUE(eventually([&] {
            const auto now = owners();
            return now.size() == 6 &&
                   std::none_of(now.begin(), now.end(), [&](const auto& entry) { return entry.second == most->first; });
        }));
        longest = std::max(longest, std::chrono::ceil<std::chrono::milliseconds>(steady::now() - killed));
        (*victim)->start();
    }
    committer_->terminate();
    expect_all_delivered();
    EXPECT_LT(longest, lease + 30s) << "a lane stayed unowned";
    for (const auto& engine : engines_) EXPECT_EQ(engine->terminate(), 0);
    EXPECT_TRUE(owners().empty()) << "a lane is left locked";
    std::printf("%d kills, taken over within %lld ms, %d orders\n", kills(usual_kills),
                static_cast<long long>(longest.count()), orders_);
}

TEST_F(several_engines, change_the_number_of_shards_without_two_owners_of_a_stream) {
    committer_->start();
    commit_for(100ms);
    ASSERT_TRUE(eventually([&] { return is_set_up(shop_db()); }));
    start_engines(1);
    ASSERT_TRUE(eventually([&] { return owners().size() == 6; }));
    commit_for(300ms);

    // The next ones stand by until the last of the others has left: one tidily, one without a word.
    for (const int shards : {2, 1}) {
        const auto former = std::move(engines_);
        configure(shards);
        start_engines(2);
        commit_for(300ms);
        const std::size_t lanes_before = shards == 2 ? 6 : 4;
        EXPECT_TRUE(eventually([&] { return owners().size() == lanes_before; })) << "the former ones still work";
        for (const auto& engine : former) {
            if (shards == 2) {
                EXPECT_EQ(engine->terminate(), 0);
            } else {
                engine->kill();
            }
        }
        commit_for(100ms);
        const auto wanted = static_cast<std::size_t>(2 * shards);
        ASSERT_TRUE(eventually([&] {
            return owners().size() == wanted &&
                   one_value(shop_db(), "SELECT count(*) FROM lease WHERE lane LIKE '%:%'") == std::to_string(wanted);
        })) << shards;
    }
    commit_for(100ms);
    committer_->terminate();
    expect_all_delivered();
    for (const auto& engine : engines_) EXPECT_EQ(engine->terminate(), 0);
}

}  // namespace
