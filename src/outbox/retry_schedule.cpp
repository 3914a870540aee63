#include "outbox/retry_schedule.hpp"

#include <chrono>
#include <cmath>

#include "base/backoff.hpp"

namespace sluice::outbox {

std::optional<duration> retry_schedule::delay_after(int refusals, base::random_source& random) const {
    if (refusals >= settings_.max_attempts) return std::nullopt;
    return spread(plain_delay(refusals), random);
}

std::optional<duration> retry_schedule::delay_while_closed(duration waited, base::random_source& random) const {
    constexpr double seconds_per_hour = 3600;
    const double seconds = std::chrono::duration<double>{waited}.count();
    if (seconds >= settings_.closed_stream_hours * seconds_per_hour) return std::nullopt;
    return spread(std::fmin(std::fmax(seconds, settings_.base_delay_seconds), settings_.max_backoff_seconds), random);
}

duration retry_schedule::longest_delay(int refusals) const noexcept { return stretched(plain_delay(refusals)); }

duration retry_schedule::longest_delay() const noexcept { return stretched(settings_.max_backoff_seconds); }

duration retry_schedule::spread(double seconds, base::random_source& random) const {
    if (settings_.jitter) seconds *= 1 + settings_.jitter_factor * (2 * random.uniform() - 1);
    return base::from_seconds(seconds);
}

duration retry_schedule::stretched(double seconds) const noexcept {
    return base::from_seconds(seconds * (settings_.jitter ? 1 + std::fabs(settings_.jitter_factor) : 1));
}

double retry_schedule::plain_delay(int refusals) const noexcept {
    // fmin also takes the cap when the power is not a number (0 * infinity).
    const double uncapped = settings_.base_delay_seconds * std::pow(settings_.backoff_multiplier, refusals - 1);
    return std::fmin(uncapped, settings_.max_backoff_seconds);
}

}  // namespace sluice::outbox
