// Random lives of lanes: commits, refusals, outages, lost confirmations, crashes, frozen owners, takeovers, stops,
// operators, and a database that fails now and then. After each life the promises P1 to P8 and P11, P12 are checked.
//
// SLUICE_SEED=<n> repeats one life; SLUICE_RUNS=<n> changes how many are lived.

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>

#include "broker/inline/inline_broker.hpp"
#include "broker/sqlite/sqlite_broker.hpp"
#include "observe/log.hpp"
#include "property/lane_world.hpp"
#include "store/memory/memory_database.hpp"
#include "store/sqlite/sqlite_database.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::testing {
namespace {

constexpr int steps_of_a_life = 250;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* const text = std::getenv(variable);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// Lives one life after the other; `make_parts` is asked for fresh adapters each time.
template <class MakeParts>
void live_many_lives(std::uint64_t lives, MakeParts make_parts) {
    observe::configure_log({.threshold = observe::level::off});
    const bool repeats = std::getenv("SLUICE_SEED") != nullptr;
    const auto first = number_from("SLUICE_SEED", std::random_device{}());
    if (repeats) lives = 1;
    for (std::uint64_t seed = first; seed < first + lives; ++seed) {
        lane_world world{seed, make_parts()};
        world.live(steps_of_a_life);
        world.come_to_rest();
        world.check_at_rest();
        if (world.complaints().empty()) continue;
        for (const auto& complaint : world.complaints()) ADD_FAILURE() << complaint;
        FAIL() << "repeat with SLUICE_SEED=" << seed << '\n' << (repeats ? world.story() : "");
    }
}

TEST(lane_property, holds_its_promises_over_memory_and_inline_brokers) {
    live_many_lives(number_from("SLUICE_RUNS", 600), [] {
        world_parts parts{store::make_memory_database("default"), {}};
        parts.database->setup();
        for (const auto* name : {"default", "east", "west"}) parts.brokers[name] = broker::make_inline_broker(name);
        return parts;
    });
}

TEST(lane_property, holds_its_promises_over_sqlite) {
    const temporary_directory directory;
    int life = 0;
    live_many_lives(number_from("SLUICE_RUNS", 15), [&] {
        const auto file = [&, number = std::to_string(++life)](const std::string& name) {
            return directory / (name + number + ".db");
        };
        world_parts parts{
            store::make_sqlite_database({.path = file("store"), .synchronous = store::sqlite_synchronous::normal}), {}};
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
