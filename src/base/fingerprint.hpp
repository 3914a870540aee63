#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace sluice::base {

/// A number that two different texts share by chance only once in 2^64 times; the same in every build and on every
/// machine with the lower byte first. Quick, and no defence against somebody who wants two texts to share it.
///
/// Thread safety: may be called concurrently.
[[nodiscard]] inline std::uint64_t fingerprint(std::string_view text) noexcept {
    constexpr std::uint64_t odd = 0x9E3779B97F4A7C15U;
    constexpr int half = 32;
    std::uint64_t sum = (text.size() + 1) * odd;
    while (!text.empty()) {
        std::uint64_t word = 0;
        const auto taken = text.size() < sizeof word ? text.size() : sizeof word;
        std::memcpy(&word, text.data(), taken);
        text.remove_prefix(taken);
        sum = (sum ^ word) * odd;
        sum ^= sum >> half;
    }
    return sum * odd;
}

}  // namespace sluice::base
