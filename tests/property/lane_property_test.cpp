// Random lives of lanes: commits, refusals, outages, lost confirmations, crashes, frozen owners, takeovers, stops,
// operators, and a database that fails now and then. After each life the promises P1 to P8 and P11, P12 are checked.
//
// SLUICE_SEED=<n> repeats one life; SLUICE_RUNS=<n> changes how many are lived.

#include <gtest/gtest.h>

#include <string>

#include "broker/inline/inline_broker.hpp"
#include "broker/sqlite/sqlite_broker.hpp"
#include "property/lives.hpp"
#include "store/memory/memory_database.hpp"
#include "store/sqlite/sqlite_database.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::testing {
namespace {

constexpr int steps_of_a_life = 250;

TEST(lane_property, holds_its_promises_over_memory_and_inline_brokers) {
    live_many_lives(600, steps_of_a_life, [] {
        world_parts parts{.database = store::make_memory_database("default"), .brokers = {}};
        parts.database->setup();
        for (const auto* name : {"default", "east", "west"}) parts.brokers[name] = broker::make_inline_broker(name);
        return parts;
    });
}

TEST(lane_property, holds_its_promises_over_sqlite) {
    const temporary_directory directory;
    int life = 0;
    live_many_lives(15, steps_of_a_life, [&] {
        const auto file = [&, number = std::to_string(++life)](const std::string& name) {
            return directory / (name + number + ".db");
        };
        world_parts parts{.database = store::make_sqlite_database(
                              {.path = file("store"), .synchronous = store::sqlite_synchronous::normal}),
                          .brokers = {}};
        parts.database->setup();
        for (const auto* name : {"default", "east", "west"}) {
            parts.brokers[name] =
                broker::make_sqlite_broker({.path = file(name), .synchronous = broker::sqlite_synchronous::normal});
        }
        return parts;
    });
}

}  // namespace
}  // namespace sluice::testing
