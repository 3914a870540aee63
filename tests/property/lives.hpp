#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "observe/log.hpp"
#include "property/lane_world.hpp"

namespace sluice::testing {

[[nodiscard]] inline std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* const text = std::getenv(variable);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// Lives one life after the other; `make_parts` is asked for fresh adapters each time.
/// SLUICE_SEED=<n> repeats one life, SLUICE_RUNS=<n> says how many are lived.
template <class MakeParts>
void live_many_lives(std::uint64_t lives, int steps_of_a_life, MakeParts make_parts) {
    observe::configure_log({.threshold = observe::level::off});
    lives = number_from("SLUICE_RUNS", lives);
    const bool repeats = std::getenv("SLUICE_SEED") != nullptr;
    const auto first = number_from("SLUICE_SEED", std::random_device{}());
    if (repeats) lives = 1;
    std::printf("seeds from %llu on\n", static_cast<unsigned long long>(first));
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

}  // namespace sluice::testing
