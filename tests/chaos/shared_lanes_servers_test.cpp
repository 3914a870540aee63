#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "chance.hpp"
#include "chaos_test.hpp"
#include "service_files.hpp"
#include "service_process.hpp"
#include "support/postgresql_server.hpp"
#include "support/redis_server.hpp"

/// Engines on PostgreSQL and Redis that join and leave while events flow, and share the lanes of the others.
namespace {

namespace postgresql = sluice::testing::postgresql;
using sluice::chaos::eventually;
using sluice::chaos::service_process;
using namespace std::chrono_literals;

constexpr auto lease = 2s;
constexpr std::size_t all_lanes = 9;

class shared_lanes_servers : public sluice::chaos::chaos_test {
protected:
    void SetUp() override {
        std::ofstream{directory_ / "domain.toml"} << R"([databases.default]
provider = "postgresql"
database_uri = ")" << database_.uri() << R"("
[brokers.default]
provider = "redis"
URI = ")" << redis_.uri() << R"(/0"
[brokers.partner]
provider = "redis"
URI = ")" << redis_.uri() << R"(/1"
[outbox]
external_brokers = ["partner"]
messages_per_tick = 5
tick_interval = 0.2
lease_seconds = )" << lease.count() << R"(
publish_timeout_seconds = 1
[outbox.lanes.default]
shards = 6
[outbox.lanes.partner]
shards = 3
[server]
shutdown_seconds = 5
health.enabled = false
)";
        const auto setup = service(SHOP_DOMAIN, {"db", "setup"});
        setup->start();
        ASSERT_EQ(setup->finish(), 0);
        committer_->start();
    }

    [[nodiscard]] std::unique_ptr<service_process> engine() {
        auto made = service(SHOP_DOMAIN, {"server"});
        made->start();
        return made;
    }

    /// Commits events of a few orders until the condition holds; false when it does not in time.
    template <class Condition>
    [[nodiscard]] bool commit_until(const Condition& condition,
                                    std::chrono::milliseconds within = sluice::testing::long_enough) {
        const auto end = std::chrono::steady_clock::now() + within;
        bool holds = condition();
        for (; !holds && std::chrono::steady_clock::now() < end; holds = condition()) {
            work_for(20ms, 10ms, [&] {
                const std::string id = R"("order_id": "o-)" + std::to_string(++orders_) + "\"";
                send(*committer_, "PlaceOrder", id);
                send(*committer_, "AddNote", id + R"(, "note": "ring twice")");
                send(*committer_, "ShipOrder", id);
            });
        }
        return holds;
    }

    /// How many lanes each living owner has.
    [[nodiscard]] std::map<std::string, std::size_t> shares() {
        std::map<std::string, std::size_t> all;
        for (const auto& owner : looking_.column("SELECT owner FROM lease WHERE broker <> '' AND owner <> ''"
                                                 " AND expires_at > clock_timestamp()")) {
            ++all[owner];
        }
        return all;
    }
    /// Each lane has an owner, and no two of these engines differ by more than one lane.
    [[nodiscard]] bool is_even(std::size_t engines) {
        const auto all = shares();
        std::size_t sum = 0;
        for (const auto& [owner, share] : all) sum += share;
        const auto is_fair = [&](const auto& each) {
            return each.second >= all_lanes / engines && each.second <= (all_lanes + engines - 1) / engines;
        };
        return sum == all_lanes && all.size() == engines && std::ranges::all_of(all, is_fair);
    }
    [[nodiscard]] static bool is_of(const std::string& owner, const service_process& engine) {
        return owner.find("-" + std::to_string(engine.pid()) + "-") != std::string::npos;
    }
    [[nodiscard]] bool has_all(const service_process& engine) {
        const auto all = shares();
        return all.size() == 1 && all.begin()->second == all_lanes && is_of(all.begin()->first, engine);
    }
    /// The engine has said lately that it stands by.
    [[nodiscard]] bool is_waiting(const service_process& engine) {
        const auto all = looking_.column(
            "SELECT DISTINCT owner FROM stand_by"
            " WHERE expires_at > clock_timestamp() + interval '1 second'");
        return std::ranges::any_of(all, [&](const auto& owner) { return is_of(owner, engine); });
    }
    /// Lanes that have been given up for an heir that has not taken them.
    [[nodiscard]] std::size_t orphans() {
        return looking_
            .column(
                "SELECT held.lane FROM lease AS held JOIN stand_by AS heir ON heir.lane = held.lane"
                " AND heir.heir_of = held.epoch WHERE held.owner = ''")
            .size();
    }

    void expect_all_delivered_once_and_in_order() {
        EXPECT_TRUE(eventually([&] { return open_rows() == "0"; })) << open_rows() << " rows are open";
        for (const std::string broker : {"default", "partner"}) {
            const std::string sent = " FROM event_log JOIN outbox USING (message_id) WHERE target_broker = '" + broker +
                                     "' ORDER BY event_log.seq";
            const auto ids = looking_.column("SELECT message_id" + sent);
            const auto streams = looking_.column("SELECT event_log.stream" + sent);
            std::map<std::string, std::vector<std::string>> committed;
            std::map<std::string, std::string> stream_of;
            for (std::size_t i = 0; i < ids.size(); ++i) {
                committed[streams[i]].push_back(ids[i]);
                stream_of[ids[i]] = streams[i];
            }
            EXPECT_GT(committed.size(), 20U);
            std::map<std::string, std::vector<std::string>> delivered;
            for (const auto& category : looking_.column("SELECT DISTINCT stream_category FROM event_log")) {
                for (const auto& id : redis_.message_ids(category, broker == "partner" ? 1 : 0)) {
                    delivered[stream_of[id]].push_back(id);
                }
            }
            EXPECT_EQ(delivered, committed) << broker;
        }
    }
    [[nodiscard]] std::string open_rows() {
        return looking_.scalar("SELECT count(*) FROM outbox WHERE status <> 'published'");
    }

    postgresql::own_database database_;
    sluice::testing::redis_server redis_{directory_ / "redis"};
    postgresql::session looking_{database_.uri()};
    std::unique_ptr<service_process> committer_ = service(SHOP_DOMAIN, {"process", "-"});
    int orders_ = 0;
};

TEST_F(shared_lanes_servers, are_shared_by_engines_that_join_and_leave_while_events_flow) {
    const auto first = engine();
    ASSERT_TRUE(commit_until([&] { return is_even(1); }));
    const auto second = engine();
    ASSERT_TRUE(commit_until([&] { return is_even(2); })) << "the second has joined";
    const auto third = engine();
    ASSERT_TRUE(commit_until([&] { return is_even(3); })) << "the third has joined";

    EXPECT_EQ(first->terminate(), 0);
    ASSERT_TRUE(commit_until([&] { return is_even(2); })) << "the first has left";
    third->kill();
    ASSERT_TRUE(commit_until([&] { return has_all(*second); })) << "the third was killed";
    committer_->terminate();
    expect_all_delivered_once_and_in_order();
    EXPECT_EQ(second->terminate(), 0);
}

TEST_F(shared_lanes_servers, are_not_lost_when_engines_are_killed_in_the_middle_of_a_hand_over) {
    std::mt19937 random{sluice::chaos::seed()};
    auto first = engine();
    ASSERT_TRUE(commit_until([&] { return is_even(1); }));

    // The heir dies before it has taken what was given up for it.
    const auto heir = engine();
    bool given_up = false;
    for (int attempts = 0; attempts < 20 && !given_up; ++attempts) {
        ASSERT_TRUE(commit_until([&] { return is_waiting(*heir); }));
        heir->freeze();
        given_up = commit_until([&] { return orphans() > 0 || shares().size() > 1; }, lease);
        if (!given_up) heir->thaw();  // on a busy machine its word may be over before the owner looks
    }
    heir->kill();
    ASSERT_TRUE(given_up);
    ASSERT_TRUE(commit_until([&] { return has_all(*first); })) << "nobody has taken the lanes of the dead heir";

    // The owner dies somewhere between the choice and the release.
    const auto next = engine();
    ASSERT_TRUE(commit_until([&] { return is_waiting(*next); }));
    std::uniform_int_distribution<int> moment_ms{0, 700};
    static_cast<void>(commit_until([] { return false; }, std::chrono::milliseconds{moment_ms(random)}));
    first->kill();
    ASSERT_TRUE(commit_until([&] { return has_all(*next); })) << "a lane stayed unowned";
    committer_->terminate();
    expect_all_delivered_once_and_in_order();
    EXPECT_EQ(next->terminate(), 0);
}

}  // namespace
