// Random lives of read models: commits, deliveries in any order across streams, redeliveries, and rebuilds that are
// stopped, killed and told that their connection broke. In the end the rows are those that the log makes when it is
// folded anew.
//
// SLUICE_SEED=<n> repeats one life; SLUICE_RUNS=<n> changes how many are lived.

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <random>

#include "observe/log.hpp"
#include "property/projection_world.hpp"
#include "store/memory/memory_database.hpp"
#include "store/sqlite/sqlite_database.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::testing {
namespace {

std::uint64_t chosen(const char* variable, std::uint64_t otherwise) {
    const char* const text = std::getenv(variable);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

template <class MakeDatabase>
void live_many_lives(std::uint64_t lives, int steps, MakeDatabase make_database) {
    observe::configure_log({.threshold = observe::level::off});
    if (std::getenv("SLUICE_SEED") != nullptr) lives = 1;
    const auto first = chosen("SLUICE_SEED", std::random_device{}());
    std::printf("seeds from %llu on\n", static_cast<unsigned long long>(first));
    int finished = 0;
    int killed = 0;
    for (std::uint64_t seed = first; seed < first + chosen("SLUICE_RUNS", lives); ++seed) {
        projection_world world{seed, make_database()};
        world.live(steps);
        world.come_to_rest();
        for (const auto* table : projection_world::tables) {
            ASSERT_EQ(stored(world.depot(), table), fold(world.depot(), table))
                << table << "; repeat with SLUICE_SEED=" << seed;
        }
        finished += world.finished();
        killed += world.killed_rebuilds();
    }
    if (std::getenv("SLUICE_SEED") != nullptr) return;
    EXPECT_GT(finished, 0) << "nothing was rebuilt: the test proves nothing";
    EXPECT_GT(killed, 0);
}

TEST(projection_property, a_rebuild_loses_and_doubles_nothing_in_memory) {
    live_many_lives(60, 300, [] { return store::make_memory_database("depot"); });
}

TEST(projection_property, a_rebuild_loses_and_doubles_nothing_on_sqlite) {
    const temporary_directory directory;
    int life = 0;
    live_many_lives(4, 200, [&] {
        return store::make_sqlite_database({.path = directory / ("depot" + std::to_string(++life) + ".db"),
                                            .synchronous = store::sqlite_synchronous::normal});
    });
}

}  // namespace
}  // namespace sluice::testing
