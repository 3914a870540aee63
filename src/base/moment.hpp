#pragma once

#include <algorithm>

#include <sluice/time.hpp>

namespace sluice::base {

/// One reading of both clocks. Whoever decides takes the half that it needs: `steady` to wait, `wall` for what is
/// stored or shown.
///
/// A value type.
struct moment {
    instant steady{};
    date_time wall{};

    constexpr moment& operator+=(duration by) {
        steady += by;
        wall += by;
        return *this;
    }
    friend constexpr moment operator+(moment at, duration by) { return at += by; }
    friend constexpr bool operator==(const moment&, const moment&) = default;

    /// When a stored time has come. The clock that wrote it may have been another one, or have been set since; so the
    /// wait is never longer than the longest that the writer could have meant.
    [[nodiscard]] constexpr instant until(date_time due, duration longest) const {
        return steady + std::clamp(due - wall, duration{0}, std::max(longest, duration{0}));
    }
};

[[nodiscard]] inline moment moment_of(const clock& time) { return {time.monotonic_now(), time.now()}; }

}  // namespace sluice::base
