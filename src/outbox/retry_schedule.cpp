#include "outbox/retry_schedule.hpp"

#include <cmath>

#include "base/backoff.hpp"

namespace sluice::outbox {

std::optional<duration> retry_schedule::delay_after(int refusals, base::random_source& random) const {
    if (refusals >= settings_.max_attempts) return std::nullopt;

    double seconds = plain_delay(refusals);
    if (settings_.jitter) seconds *= 1 + settings_.jitter_factor * (2 * random.uniform() - 1);
    return base::from_seconds(seconds);
}

duration retry_schedule::longest_delay(int refusals) const noexcept {
    return base::from_seconds(plain_delay(refusals) * (settings_.jitter ? 1 + std::fabs(settings_.jitter_factor) : 1));
}

double retry_schedule::plain_delay(int refusals) const noexcept {
    // fmin also takes the cap when the power is not a number (0 * infinity).
    const double uncapped = settings_.base_delay_seconds * std::pow(settings_.backoff_multiplier, refusals - 1);
    return std::fmin(uncapped, settings_.max_backoff_seconds);
}

}  // namespace sluice::outbox
