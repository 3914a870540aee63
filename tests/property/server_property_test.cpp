// The same lives as over the embedded adapters, over a real PostgreSQL and real Redis servers, with a bad network
// between each process and each server. What a seed decides is repeated; what the servers and the network make of it
// may differ. The database judges by its own clock, as it does for a service, and the calendar of the processes is set
// to and fro.

#include <map>
#include <string>
#include <vector>

#include "broker/broker.hpp"
#include "property/lives.hpp"
#include "property/server_network.hpp"
#include "store/postgresql/postgresql_database.hpp"
#include "support/postgresql_server.hpp"
#include "support/redis_server.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::testing {
namespace {

constexpr int steps_of_a_life = 120;

TEST(server_property, holds_its_promises_over_postgresql_and_redis_through_a_bad_network) {
    const temporary_directory directory;
    const redis_server redis{directory / "redis"};
    const std::vector<std::string> names{"default", "east", "west"};
    live_many_lives(4, steps_of_a_life, [&] {
        redis.cli({"flushall"});
        const auto schema = postgresql::fresh_schema();
        const auto time = std::make_shared<world_clock>(world_clock::kind::flows);
        world_parts parts{.database = store::make_postgresql_database(
                              {.conninfo = postgresql::uri(), .schema = schema, .time = time.get()}),
                          .brokers = {},
                          .network = std::make_unique<server_network>(schema, redis, names, time),
                          .time = time};
        parts.database->setup();
        for (const auto& name : names) parts.brokers[name] = parts.network->connect_broker(name);
        return parts;
    });
}

}  // namespace
}  // namespace sluice::testing
