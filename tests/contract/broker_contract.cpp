#include "contract/broker_contract.hpp"

#include "broker/inline/inline_broker.hpp"
#ifdef SLUICE_WITH_BROKER_SQLITE
#include "broker/sqlite/sqlite_broker.hpp"
#endif
#ifdef SLUICE_WITH_BROKER_REDIS
#include "broker/redis/redis_broker.hpp"
#include "support/redis_server.hpp"
#endif

namespace sluice::broker::contract {

std::vector<verdict> publish(publisher& to, const std::vector<note>& notes, const producer& from) {
    std::vector<outgoing> batch;
    batch.reserve(notes.size());
    for (const auto& n : notes) batch.push_back({.stream = n.stream, .message_id = n.id, .key = n.key, .body = n.body});
    return to.publish(batch, from, 10 * second);
}

void deliver(broker& to, const std::vector<note>& notes) {
    for (const auto& v : publish(*to.open_publisher(), notes)) ASSERT_TRUE(is<delivered>(v));
}

std::vector<note> notes(std::string_view prefix, int n, int keys) {
    std::vector<note> made;
    for (int i = 0; i < n; ++i) {
        const auto id = std::string{prefix} + std::to_string(i);
        made.push_back({.id = id, .key = "order-" + std::to_string(i % keys), .body = id});
    }
    return made;
}

std::vector<std::string> entries_of(const std::vector<delivery>& deliveries) {
    std::vector<std::string> entries;
    for (const auto& d : deliveries) entries.push_back(d.entry);
    return entries;
}

std::vector<std::string> bodies_of(const std::vector<delivery>& deliveries) {
    std::vector<std::string> bodies;
    for (const auto& d : deliveries) bodies.push_back(d.body);
    return bodies;
}

std::vector<std::string> everything_in(broker& in, const std::string& stream) {
    static int groups = 0;
    const auto audit = sluice::testing::open_consumer(
        in, stream, {.group = "audit-" + std::to_string(++groups), .consumer = "auditor"});
    return bodies_of(audit->read(1'000'000, noon));
}

INSTANTIATE_TEST_SUITE_P(inline_broker, broker_contract,
                         ::testing::Values(subject{
                             "inline", [](const auto&, const auto&) { return make_inline_broker("test"); }}),
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
