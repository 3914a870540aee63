#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>

#include "property/lane_world.hpp"
#include "property/seeds.hpp"

namespace sluice::testing {

/// Lives many lives of lanes; `make_parts` is asked for fresh adapters each time. A life that is repeated tells its
/// story when it fails.
template <class MakeParts>
void live_many_lives(std::uint64_t usual, int steps_of_a_life, MakeParts make_parts) {
    int hand_overs = 0;
    live_many(usual, [&](std::uint64_t seed) {
        lane_world world{seed, make_parts()};
        world.live(steps_of_a_life);
        world.come_to_rest();
        world.check_at_rest();
        hand_overs += world.hand_overs();
        if (world.complaints().empty()) return;
        for (const auto& complaint : world.complaints()) ADD_FAILURE() << complaint;
        if (repeats_one_life()) FAIL() << world.story();
    });
    std::printf("%d turns of lanes that were being handed over\n", hand_overs);
    const bool are_many = !repeats_one_life() && usual >= 100;
    EXPECT_TRUE(hand_overs > 0 || !are_many) << "no engine gave a lane to another";
}

}  // namespace sluice::testing
