#include "command/repetition.hpp"

#include <algorithm>

#include "base/backoff.hpp"
#include "base/failure_cause.hpp"

namespace sluice::command {

namespace {

/// Before the n-th retry, n >= 1.
duration delay_before(int n, config::delay_growth growth, duration base, duration most) {
    switch (growth) {
        case config::delay_growth::exponential:
            return base::backoff{.first = base, .factor = 2, .most = most}.delay(n);
        case config::delay_growth::linear:
            return std::min(base * n, most);
        case config::delay_growth::fixed:
            break;
    }
    return std::min(base, most);
}

}  // namespace

std::optional<duration> repetition::after(const error& failure, date_time now,
                                          const std::optional<date_time>& deadline) {
    if (!failure.retryable()) return std::nullopt;
    const bool conflict = base::cause_of(failure) == base::failure_cause::conflict;
    const bool is_over = dynamic_cast<const expected_version_error*>(&failure) != nullptr;
    const std::optional<duration> pause = conflict ? pause_after_conflict(is_over) : pause_after_trouble();
    if (pause && deadline && now + *pause >= *deadline) return std::nullopt;
    return pause;
}

std::optional<duration> repetition::pause_after_conflict(bool is_over) {
    const config::version_retry_settings& retry = settings_.version_retry;
    if (!retry.enabled || conflicts_ >= retry.max_retries) return std::nullopt;
    if (++conflicts_ == 1 && is_over) return duration{0};
    return shortened(delay_before(std::max(conflicts_ - 1, 1), config::delay_growth::exponential,
                                  base::from_seconds(retry.base_delay_seconds),
                                  base::from_seconds(retry.max_delay_seconds)));
}

std::optional<duration> repetition::pause_after_trouble() {
    const config::transient_retry_settings& retry = settings_.transient_retry;
    if (!retry.enabled || troubles_ >= retry.max_retries) return std::nullopt;
    return shortened(delay_before(++troubles_, retry.backoff, base::from_seconds(retry.base_delay_seconds),
                                  base::from_seconds(retry.max_delay_seconds)));
}

duration repetition::shortened(duration pause) {
    constexpr double least = 0.5;
    const double micros = static_cast<double>(pause.count()) * (least + (1 - least) * random_.uniform());
    return duration{static_cast<duration::rep>(micros)};
}

}  // namespace sluice::command
