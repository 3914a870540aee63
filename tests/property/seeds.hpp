#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "observe/log.hpp"

namespace sluice::testing {

/// The number that an environment variable holds, or another when it is not set.
[[nodiscard]] inline std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* const text = std::getenv(variable);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// True when SLUICE_SEED names the one life that is lived.
[[nodiscard]] inline bool repeats_one_life() { return std::getenv("SLUICE_SEED") != nullptr; }

/// Calls `live(seed)` with one seed after the other, until a life fails; a failure tells its seed.
/// SLUICE_SEED=<n> repeats exactly one life; without it, SLUICE_RUNS=<n> says how many are lived.
/// @param usual  how many are lived when nobody says
template <class Live>
void live_many(std::uint64_t usual, const Live& live) {
    observe::configure_log({.threshold = observe::level::off});
    const std::uint64_t lives = repeats_one_life() ? 1 : number_from("SLUICE_RUNS", usual);
    const std::uint64_t first = number_from("SLUICE_SEED", std::random_device{}());
    std::printf("seeds from %llu on\n", static_cast<unsigned long long>(first));
    for (std::uint64_t life = 0; life < lives && !::testing::Test::HasFailure(); ++life) {
        SCOPED_TRACE("repeat with SLUICE_SEED=" + std::to_string(first + life));
        live(first + life);
    }
}

}  // namespace sluice::testing
