// One broker that is configured under two names.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <functional>
#include <memory>
#include <string>

#include "base/random.hpp"
#include "broker/redis/redis_broker.hpp"
#include "broker/sqlite/sqlite_broker.hpp"
#include "commit/environment.hpp"
#include "consume/orphan_groups.hpp"
#include "consume/route.hpp"
#include "engine/maintenance.hpp"
#include "store/memory/memory_database.hpp"
#include "support/captured_log.hpp"
#include "support/consumer.hpp"
#include "support/post_office.hpp"
#include "support/redis_server.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

enum class adapter : std::uint8_t { redis, sqlite };

/// A service that reads from it under one name and publishes under the other.
class two_names : public ::testing::TestWithParam<adapter> {
protected:
    two_names() {
        if (GetParam() == adapter::redis) redis_ = std::make_unique<redis_server>(directory_ / "redis");
        database_->setup();
        config::configuration configuration;
        configuration.outbox.external_brokers = {"partner"};
        commit::adapters parts;
        parts.databases.emplace("default", database_);
        for (const char* name : {"default", "partner"}) parts.brokers.emplace(name, connect());
        domain_.validate();
        env_ = std::make_unique<commit::environment>(domain_.declared(), configuration, parts, system_clock(), random_);
    }

    [[nodiscard]] std::unique_ptr<broker::broker> connect() const {
        if (redis_ != nullptr) return broker::make_redis_broker({.uri = redis_->uri()});
        return broker::make_sqlite_broker({.path = directory_ / "broker.db"});
    }
    void read_as(const std::string& group, const std::string& stream) const {
        const auto reader =
            sluice::testing::open_consumer(*connect(), stream, {.group = group, .consumer = "c", .domain = "post"});
        EXPECT_THAT(reader->read(1, system_clock().now()), IsEmpty());
    }
    [[nodiscard]] std::string log_of_a_round() {
        captured_log log;
        keeper_->round();
        return log.text();
    }

    temporary_directory directory_;
    std::unique_ptr<redis_server> redis_;
    std::shared_ptr<store::database> database_ = store::make_memory_database("post");
    base::seeded_random random_{7};
    domain domain_ = post::make_domain(std::make_shared<post::script>());
    std::unique_ptr<commit::environment> env_;
    std::unique_ptr<engine::maintenance> keeper_;
};

TEST_P(two_names, make_no_orphan_of_a_group_that_is_read_under_the_other_one) {
    keeper_ = std::make_unique<engine::maintenance>(*env_, "me");
    const auto routes = consume::routes_of(*env_);
    ASSERT_THAT(routes, Not(IsEmpty()));
    for (const auto& each : routes) {
        for (const auto& stream : each.streams) read_as(each.group, stream);
    }
    for (const auto& [name, broker] : env_->parts().brokers) {
        const auto known = broker->open_operations()->known_groups();
        EXPECT_EQ(known.size(), routes.size()) << name;
        EXPECT_THAT(consume::orphan_groups(known, routes, name, consume::places_of(*env_), "post"), IsEmpty()) << name;
    }
    EXPECT_THAT(log_of_a_round(), Not(HasSubstr("subscription.orphaned")));

    read_as("post.former", "post::letter");
    const auto told = log_of_a_round();
    const auto first = told.find("subscription.orphaned group=post.former");
    ASSERT_NE(first, std::string::npos) << told;
    EXPECT_EQ(told.find("subscription.orphaned", first + 1), std::string::npos) << "once, whatever its names";
}

INSTANTIATE_TEST_SUITE_P(adapters, two_names, ::testing::Values(adapter::redis, adapter::sqlite),
                         [](const auto& tested) {
                             return std::string{tested.param == adapter::redis ? "redis" : "sqlite"};
                         });

}  // namespace
}  // namespace sluice::testing
