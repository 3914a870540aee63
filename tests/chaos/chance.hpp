#pragma once

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

namespace sluice::chaos {

/// Printed, so that a run can be repeated; `SLUICE_SEED` sets it.
[[nodiscard]] inline unsigned seed() {
    const char* given = std::getenv("SLUICE_SEED");
    const unsigned value = given != nullptr ? static_cast<unsigned>(std::stoul(given)) : std::random_device{}();
    std::printf("SLUICE_SEED=%u\n", value);
    return value;
}

/// How many processes are killed: `SLUICE_CHAOS_KILLS`, or what the test usually takes.
[[nodiscard]] inline int kills(int usual) {
    const char* given = std::getenv("SLUICE_CHAOS_KILLS");
    return given != nullptr ? std::stoi(given) : usual;
}

}  // namespace sluice::chaos
