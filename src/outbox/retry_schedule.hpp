#pragma once

#include <optional>

#include <sluice/time.hpp>

#include "base/random.hpp"
#include "config/configuration.hpp"

namespace sluice::outbox {

/// When a row that its broker refused is sent again: `base * multiplier^(n-1)` after the n-th refusal, capped, then
/// spread by ±`jitter_factor`. Pure: chance is injected.
///
/// Thread safety: const members may be called concurrently, with different random sources.
class retry_schedule {
public:
    explicit retry_schedule(const config::retry_settings& settings) : settings_{settings} {}

    /// @param refusals  how often the row was refused so far, this time included; at least 1
    /// @returns the time to wait, or nothing when the budget is used up
    [[nodiscard]] std::optional<duration> delay_after(int refusals, base::random_source& random) const;

    /// When a row is sent again whose stream is closed: after as long as it has been waiting, so that the waits double;
    /// at least `base_delay_seconds`, capped and spread as the others.
    /// @returns nothing when it has waited for `closed_stream_hours`
    [[nodiscard]] std::optional<duration> delay_while_closed(duration waited, base::random_source& random) const;

    /// The longest that `delay_after` can answer, whatever the chance.
    [[nodiscard]] duration longest_delay(int refusals) const noexcept;
    /// The longest that any of them can answer.
    [[nodiscard]] duration longest_delay() const noexcept;

private:
    [[nodiscard]] double plain_delay(int refusals) const noexcept;
    [[nodiscard]] duration spread(double seconds, base::random_source& random) const;
    [[nodiscard]] duration stretched(double seconds) const noexcept;

    config::retry_settings settings_;
};

}  // namespace sluice::outbox
