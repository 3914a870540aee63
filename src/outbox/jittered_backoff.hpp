#pragma once

#include <algorithm>
#include <limits>

#include <sluice/time.hpp>

#include "base/backoff.hpp"
#include "base/random.hpp"

namespace sluice::outbox {

/// Growing pauses between tries of the same thing, each ±20 % so that many lanes do not knock at once. Pure but for the
/// injected chance.
///
/// Thread safety: none.
class jittered_backoff {
public:
    /// `random` must outlive this.
    jittered_backoff(const base::backoff& delays, base::random_source& random) : delays_{delays}, random_{random} {}

    /// The pause before the next try. Never longer than the longest delay.
    [[nodiscard]] duration next() {
        constexpr double spread = 0.2;
        if (tries_ < std::numeric_limits<int>::max()) ++tries_;
        const double factor = 1 + spread * (2 * random_.uniform() - 1);
        const double micros = static_cast<double>(delays_.delay(tries_).count()) * factor;
        return std::min(duration{static_cast<duration::rep>(micros)}, delays_.most);
    }
    /// The thing works again: the next pause is a short one.
    void reset() noexcept { tries_ = 0; }

private:
    base::backoff delays_;
    base::random_source& random_;
    int tries_ = 0;
};

}  // namespace sluice::outbox
