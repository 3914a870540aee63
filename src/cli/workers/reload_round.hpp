#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

namespace sluice::cli {

/// Decides which worker reads its configuration again when: one after the other, so that the others serve meanwhile,
/// and the next only when the one before works again. As soon as one does not take the new configuration over, those
/// that have not been told keep what they have. Pure: it is told what happened and the time.
///
/// Thread safety: none.
class reload_round {
public:
    using instant = std::chrono::steady_clock::time_point;

    /// @param patience  for one worker
    explicit reload_round(std::chrono::steady_clock::duration patience) : patience_{patience} {}

    /// What was left of an earlier round is not told any more.
    void begin(std::vector<pid_t> workers);
    /// The worker to tell now; nothing: none is left, or one is at it.
    [[nodiscard]] std::optional<pid_t> next(instant now);
    /// When the one that is at it is given up.
    [[nodiscard]] std::optional<instant> until() const noexcept { return until_; }

    /// Of any worker, at any time.
    void answered(pid_t pid, bool taken_over);
    void ended(pid_t pid);
    void time_is(instant now);

    /// How many were not told, because one before them failed; once.
    [[nodiscard]] std::optional<std::size_t> left_alone();

private:
    void fail();

    std::chrono::steady_clock::duration patience_;
    std::deque<pid_t> waiting_{};
    std::optional<pid_t> at_it_{};
    std::optional<instant> until_{};
    std::optional<std::size_t> left_alone_{};
};

}  // namespace sluice::cli
