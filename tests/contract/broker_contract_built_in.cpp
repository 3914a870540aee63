#include "contract/broker_contract.hpp"

#include "broker/inline/inline_broker.hpp"
#include "contract/helped_broker.hpp"
#include "support/keeperless_broker.hpp"
#ifdef SLUICE_WITH_BROKER_SQLITE
#include "broker/sqlite/sqlite_broker.hpp"
#endif
#ifdef SLUICE_WITH_BROKER_REDIS
#include "broker/redis/redis_broker.hpp"
#include "support/redis_server.hpp"
#endif

namespace sluice::broker::contract {

INSTANTIATE_TEST_SUITE_P(inline_broker, broker_contract,
                         ::testing::Values(subject{
                             "inline", [](const auto&, const auto&) { return make_inline_broker("test"); }}),
                         [](const auto& i) { return i.param.name; });

INSTANTIATE_TEST_SUITE_P(helped_broker, broker_contract,
                         ::testing::Values(subject{.name = "helped",
                                                   .make =
                                                       [](const auto&, const auto&) {
                                                           return std::make_unique<helped_broker>(
                                                               std::make_shared<sluice::testing::keeperless_broker>(
                                                                   make_inline_broker("test")));
                                                       },
                                                   .fences_members = false}),
                         [](const auto& i) { return i.param.name; });
#ifdef SLUICE_WITH_BROKER_SQLITE
INSTANTIATE_TEST_SUITE_P(sqlite_broker, broker_contract,
                         ::testing::Values(subject{"sqlite",
                                                   [](const std::filesystem::path& directory, const clock& time) {
                                                       return make_sqlite_broker(
                                                           {.path = directory / "broker.db", .time = &time});
                                                   }}),
                         [](const auto& i) { return i.param.name; });
#endif
#ifdef SLUICE_WITH_BROKER_REDIS
/// One server for all tests of the process; each begins with an empty one.
std::unique_ptr<broker> make_on_empty_server(const std::filesystem::path& /*directory*/, const clock& server_time) {
    static const sluice::testing::temporary_directory directory;
    static const sluice::testing::redis_server server{directory / "redis"};
    server.cli({"flushall"});
    return make_redis_broker({.uri = server.uri(), .server_time = &server_time});
}

INSTANTIATE_TEST_SUITE_P(redis_broker, broker_contract,
                         ::testing::Values(subject{.name = "redis",
                                                   .make = make_on_empty_server,
                                                   .deduplicates = false,
                                                   .knows_keys = false,
                                                   .shares_groups = false}),
                         [](const auto& i) { return i.param.name; });
#endif

}  // namespace sluice::broker::contract
