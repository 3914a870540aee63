// Random lives of read models: commits, deliveries in any order across streams, redeliveries, and rebuilds that are
// stopped, killed and told that their connection broke. In the end the rows are those that the log makes when it is
// folded anew.
//
// SLUICE_SEED=<n> repeats one life; SLUICE_RUNS=<n> changes how many are lived.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "property/projection_world.hpp"
#include "property/seeds.hpp"
#include "store/memory/memory_database.hpp"
#include "store/sqlite/sqlite_database.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::testing {
namespace {

template <class MakeDatabase>
void live_many_lives(std::uint64_t usual, int steps, MakeDatabase make_database) {
    int finished = 0;
    int killed = 0;
    live_many(usual, [&](std::uint64_t seed) {
        projection_world world{seed, make_database()};
        world.live(steps);
        world.come_to_rest();
        for (const auto* table : projection_world::tables) {
            ASSERT_EQ(stored(world.depot(), table), fold(world.depot(), table)) << table;
        }
        finished += world.finished();
        killed += world.killed_rebuilds();
    });
    if (repeats_one_life() || ::testing::Test::HasFatalFailure()) return;
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
