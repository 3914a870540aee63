#pragma once

#include <chrono>
#include <thread>

namespace sluice::testing {

/// How long a test waits for what must happen. It costs nothing when it happens, and the machine may be busy: a test
/// that gives up after a second or two fails now and then, and says nothing. What must not be waited for, such as the
/// tick of a lane that should be woken, is set to be later still.
inline constexpr std::chrono::seconds long_enough{60};

/// Looks again and again until the condition holds; false when it does not in time.
template <class Condition>
[[nodiscard]] bool eventually(const Condition& holds, std::chrono::steady_clock::duration within = long_enough) {
    const auto give_up = std::chrono::steady_clock::now() + within;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > give_up) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
    return true;
}

}  // namespace sluice::testing
