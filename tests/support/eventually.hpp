#pragma once

#include <chrono>
#include <thread>

namespace sluice::testing {

/// Looks again and again until the condition holds; false when it does not in time.
template <class Condition>
[[nodiscard]] bool eventually(const Condition& holds, std::chrono::steady_clock::duration within) {
    const auto give_up = std::chrono::steady_clock::now() + within;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > give_up) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
    return true;
}

}  // namespace sluice::testing
