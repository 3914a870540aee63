#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>

#include <sluice/time.hpp>

namespace sluice::base {

/// Delays that grow: `first` before the first repetition, `factor` times more before each next one, never above `most`.
struct backoff {
    duration first{std::chrono::seconds{1}};
    double factor = 2;
    duration most{std::chrono::seconds{30}};

    /// Before the n-th repetition, n >= 1. Any n is safe: what would overflow is `most`.
    [[nodiscard]] duration delay(int n) const noexcept {
        const double grown = static_cast<double>(first.count()) * std::pow(factor, std::max(n, 1) - 1);
        // Written so that infinity and NaN (0 times infinity) end as `most`.
        if (!(grown < static_cast<double>(most.count()))) return most;
        return duration{static_cast<duration::rep>(grown)};
    }
};

/// Seconds as configuration has them, as a duration. What does not fit becomes a hundred years; NaN becomes zero.
[[nodiscard]] inline duration from_seconds(double seconds) noexcept {
    constexpr double longest = 100.0 * 365 * 24 * 3600;
    constexpr double micros = 1e6;
    if (!(seconds > 0)) return duration{0};
    return duration{static_cast<duration::rep>(std::min(seconds, longest) * micros)};
}

}  // namespace sluice::base
