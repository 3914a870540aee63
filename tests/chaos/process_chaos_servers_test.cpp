#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "chance.hpp"
#include "service_process.hpp"
#include "support/postgresql_server.hpp"
#include "support/redis_server.hpp"
#include "transfer_story.hpp"

/// The transfers on PostgreSQL and Redis, where the steps of two servers really overlap.
namespace {

namespace postgresql = sluice::testing::postgresql;
using sluice::chaos::service_process;
using namespace std::chrono_literals;

class process_chaos_servers : public sluice::chaos::transfer_story {
protected:
    void SetUp() override {
        configure("[databases.default]\nprovider = \"postgresql\"\ndatabase_uri = \"" + database_.uri() +
                  "\"\n[brokers.default]\nprovider = \"redis\"\nURI = \"" + redis_.uri() + "\"\n");
        const auto setup = service(PROCESS_DOMAIN, {"db", "setup"});
        setup->start();
        ASSERT_EQ(setup->finish(), 0);
        ASSERT_NO_FATAL_FAILURE(begin());
    }

    [[nodiscard]] std::string value(const std::string& sql) const override { return looking_.scalar(sql); }
    [[nodiscard]] bool is_set_up() const override { return true; }
    [[nodiscard]] std::string dead_letters() const override { return redis_.cli({"keys", "*:dlq"}); }

    /// The process that the database takes for the one that may work for the sequential handler; empty when it is
    /// nobody.
    [[nodiscard]] std::string owner() const {
        return value("SELECT owner FROM lease WHERE lane LIKE 'sequential/%' AND owner <> '' AND expires_at > now()");
    }
    /// The server of that name; null when it has ended.
    [[nodiscard]] service_process* server_called(const std::string& name) const {
        const auto found = std::ranges::find_if(servers_, [&](const auto& each) {
            return name.find("-" + std::to_string(each->pid()) + "-") != std::string::npos;
        });
        return found != servers_.end() ? found->get() : nullptr;
    }

    /// Whoever locks several things locks them in one order, so nobody has to be sacrificed.
    void expect_no_deadlock() const {
        EXPECT_EQ(value("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"), "0");
    }

    /// What Redis has is what the log has sent: each stream's messages once, and in order.
    void expect_delivered_once_and_in_order() const {
        std::map<std::string, std::vector<std::string>> committed;
        std::map<std::string, std::string> stream_of;
        const std::string ordered = " FROM event_log JOIN outbox USING (message_id) ORDER BY event_log.seq";
        const auto ids = looking_.column("SELECT message_id" + ordered);
        const auto streams = looking_.column("SELECT event_log.stream" + ordered);
        for (std::size_t i = 0; i < ids.size(); ++i) {
            committed[streams[i]].push_back(ids[i]);
            stream_of[ids[i]] = streams[i];
        }
        std::map<std::string, std::vector<std::string>> delivered;
        for (const std::string& category : looking_.column("SELECT DISTINCT stream_category FROM event_log")) {
            for (const std::string& id : redis_.message_ids(category)) delivered[stream_of[id]].push_back(id);
        }
        EXPECT_EQ(delivered, committed);
    }

    postgresql::own_database database_;
    sluice::testing::redis_server redis_{directory_ / "redis"};
    mutable postgresql::session looking_{database_.uri()};
};

TEST_F(process_chaos_servers, end_every_transfer_once_through_sigkills) {
    kill_servers(sluice::chaos::kills(20));
    expect_every_transfer_to_end_once();
    expect_delivered_once_and_in_order();
    expect_no_deadlock();
}

TEST_F(process_chaos_servers, end_every_transfer_once_though_an_owner_is_frozen_past_its_leases) {
    std::uniform_int_distribution<int> moment_ms{0, 100};
    for (int done = 0; done < 2; ++done) {
        service_process* frozen = nullptr;
        ASSERT_TRUE(send_until(
            [&] {
                frozen = server_called(owner());
                return frozen != nullptr;
            },
            60s));
        work_for(std::chrono::milliseconds{moment_ms(random_)}, between_transfers, [&] { send_transfer(); });
        frozen->freeze();
        const bool taken_over = send_until(
            [&] {
                const service_process* const now = server_called(owner());
                return now != nullptr && now != frozen;
            },
            60s);
        frozen->thaw();
        ASSERT_TRUE(taken_over);
    }
    expect_every_transfer_to_end_once();
    expect_delivered_once_and_in_order();
    expect_no_deadlock();
}

}  // namespace
