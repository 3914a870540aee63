#pragma once

#include <optional>

#include <sluice/error.hpp>
#include <sluice/time.hpp>

#include "base/random.hpp"
#include "config/configuration.hpp"

namespace sluice::command {

/// Decides whether an outermost unit of work that failed is tried again, and after which pause. Pure but for the
/// injected chance.
///
/// - A version conflict: the first retry follows at once, because whoever was faster is done and fresh state is all it
///   takes; the later ones wait, doubling.
/// - Another conflict, as a deadlock is one: waits before each retry. Whoever was spared still works, and would be met
///   again in the same place.
/// - Another error that says `retryable()`: waits before each retry.
/// - What is in doubt or permanent is never repeated.
///
/// Conflicts and errors have budgets of their own. Pauses are cut by chance to between a half and the whole, so that
/// competing writers do not meet again and again.
///
/// Thread safety: none; one object for each unit of work.
class repetition {
public:
    /// Both must outlive it.
    repetition(const config::server_settings& settings, base::random_source& random)
        : settings_{settings}, random_{random} {}

    /// The pause before the next attempt; nothing when there is none, because the budget is used up or the deadline
    /// would have passed.
    [[nodiscard]] std::optional<duration> after(const error& failure, date_time now,
                                                const std::optional<date_time>& deadline);

private:
    /// @param is_over  whoever was faster is done
    [[nodiscard]] std::optional<duration> pause_after_conflict(bool is_over);
    [[nodiscard]] std::optional<duration> pause_after_trouble();
    [[nodiscard]] duration shortened(duration pause);

    const config::server_settings& settings_;
    base::random_source& random_;
    int conflicts_ = 0;
    int troubles_ = 0;
};

}  // namespace sluice::command
