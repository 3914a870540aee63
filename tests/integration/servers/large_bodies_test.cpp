// Messages of 8 and 100 MiB go through a lane and a subscription, and the memory of the process stays bounded.

#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include <sluice/sluice.hpp>

#include "broker/redis/redis_broker.hpp"
#include "broker/sqlite/sqlite_broker.hpp"
#include "command/invocation.hpp"
#include "commit/environment.hpp"
#include "engine/engine.hpp"
#include "integration/servers/figures.hpp"
#include "integration/servers/resident_set.hpp"
#include "observe/log.hpp"
#include "store/postgresql/postgresql_database.hpp"
#include "store/sqlite/sqlite_database.hpp"
#include "support/eventually.hpp"
#include "support/postgresql_server.hpp"
#include "support/redis_server.hpp"
#include "support/temporary_directory.hpp"

namespace archive {

class Scan;

struct ScanStored {
    static constexpr sluice::event_of<Scan> contract{.published = true};
    sluice::identifier scan_id;
    sluice::text image;
};

struct seen {
    std::atomic<std::size_t> messages = 0;
    std::atomic<std::size_t> bytes = 0;
};

struct reader {
    void operator()(const sluice::message& m, sluice::context& /*in*/) const {
        what->bytes += m.data().at("image").as_string().size();
        ++what->messages;
    }
    std::shared_ptr<seen> what;
};

}  // namespace archive

namespace sluice::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t mebibyte = std::size_t{1} << 20U;

enum class adapters { embedded, servers };

class large_bodies : public ::testing::TestWithParam<adapters> {
protected:
    large_bodies() {
        observe::configure_log({.threshold = observe::level::error});
        constexpr std::size_t most = 200 * mebibyte;
        if (GetParam() == adapters::embedded) {
            database_ = store::make_sqlite_database(
                {.path = directory_ / "archive.db", .synchronous = store::sqlite_synchronous::normal});
            for (const char* name : {"default", "partner"}) {
                parts_.brokers.emplace(name,
                                       broker::make_sqlite_broker({.path = directory_ / (std::string{name} + ".db"),
                                                                   .synchronous = broker::sqlite_synchronous::normal,
                                                                   .max_message_bytes = most}));
            }
        } else {
            redis_ = std::make_unique<redis_server>(directory_ / "redis");
            database_ = store::make_postgresql_database({.conninfo = own_->uri()});
            int number = 0;
            for (const char* name : {"default", "partner"}) {
                parts_.brokers.emplace(name,
                                       broker::make_redis_broker({.uri = redis_->uri() + "/" + std::to_string(number++),
                                                                  .answer_timeout = 30s,
                                                                  .max_message_bytes = most}));
            }
        }
        parts_.databases.emplace("default", database_);
        configuration_.outbox.external_brokers = {"partner"};
        configuration_.outbox.publish_timeout_seconds = 60;
        domain_.stream<archive::Scan>().events<archive::ScanStored>();
        domain_.subscriber<archive::reader>({.broker = "partner", .stream = "archive::scan"}, archive::reader{seen_});
        domain_.validate();
        env_ = std::make_unique<commit::environment>(domain_.declared(), configuration_, parts_, system_clock(),
                                                     base::system_random());
        database_->setup();
    }
    ~large_bodies() override { observe::configure_log({}); }

    /// Straight into the log and the outbox: what the commit itself needs is not measured here.
    void store(std::size_t count, std::size_t bytes) {
        const auto unit = database_->open_unit();
        for (std::size_t i = 0; i < count; ++i) {
            const std::string stream = "archive::scan-" + std::to_string(i);
            const std::string id = stream + "-0";
            store::event_write write;
            write.event = {.message_id = id,
                           .stream = stream,
                           .stream_category = "archive::scan",
                           .type = "Archive.ScanStored.v1",
                           .data = R"({"scan_id":"1","image":")" + std::string(bytes, 'x') + "\"}",
                           .metadata = R"({"headers":{"id":")" + id + R"(","type":"Archive.ScanStored.v1","stream":")" +
                                       stream + R"("},"domain":{"kind":"EVENT"},"extensions":{}})",
                           .created_at = system_clock().now()};
            write.target_brokers = {"default", "partner"};
            unit->commit({.events = {write}, .at = system_clock().now()});
        }
    }

    /// How far the memory grew until the partner had handled all.
    [[nodiscard]] std::size_t growth_until_handled(std::size_t count) {
        ::malloc_trim(0);
        const resident_set_watch memory;
        engine::engine running{*env_};
        running.start();
        EXPECT_TRUE(eventually([&] { return seen_->messages == count; }, 100s));
        EXPECT_TRUE(running.stop());
        return memory.growth();
    }

    temporary_directory directory_;
    std::unique_ptr<postgresql::own_database> own_ =
        GetParam() == adapters::servers ? std::make_unique<postgresql::own_database>() : nullptr;
    std::unique_ptr<redis_server> redis_;
    std::shared_ptr<archive::seen> seen_ = std::make_shared<archive::seen>();
    domain domain_{"archive"};
    config::configuration configuration_;
    std::shared_ptr<store::database> database_;
    commit::adapters parts_;
    std::unique_ptr<commit::environment> env_;
};

TEST_P(large_bodies, of_8_mebibytes_take_no_more_memory_however_many_there_are) {
    constexpr std::size_t count = 16;
    store(count, 8 * mebibyte);
    const std::size_t growth = growth_until_handled(count);
    EXPECT_EQ(seen_->bytes, count * 8 * mebibyte);
    print_figure("{} messages of 8 MiB: memory grew by {} MiB", count, growth / mebibyte);
    // Two lanes and a subscription; with all messages in memory at every stage it would be a gibibyte.
    EXPECT_LT(growth, 400 * mebibyte);
}

TEST_P(large_bodies, of_100_mebibytes_go_through) {
    store(1, 100 * mebibyte);
    const std::size_t growth = growth_until_handled(1);
    EXPECT_EQ(seen_->bytes, 100 * mebibyte);
    print_figure("a message of 100 MiB: memory grew by {} MiB", growth / mebibyte);
    EXPECT_LT(growth, 1'600 * mebibyte);
}

INSTANTIATE_TEST_SUITE_P(on, large_bodies, ::testing::Values(adapters::embedded, adapters::servers),
                         [](const auto& tested) {
                             return tested.param == adapters::embedded ? "embedded" : "servers";
                         });

}  // namespace
}  // namespace sluice::testing
