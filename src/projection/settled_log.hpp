#pragma once

#include <set>
#include <string>

#include "store/read_model_records.hpp"

namespace sluice::projection {

/// Up to which number the event log is final: nothing can appear there any more. Pure.
///
/// Numbers are drawn when an event is written and seen when its transaction commits, so a number below the highest seen
/// may still be missing. Whoever has drawn one below the head of a look was among the writers of that look, or had
/// ended before it. So when all of them have ended, everything up to that head is final.
///
/// Thread safety: none.
class settled_log {
public:
    void looked(const store::log_end& end);

    /// Every number up to here is there or will never be.
    [[nodiscard]] store::sequence settled() const noexcept { return settled_; }
    /// The highest number of the latest look.
    [[nodiscard]] store::sequence head() const noexcept { return head_; }
    /// Writers that have to end before `settled` moves.
    [[nodiscard]] const std::set<std::string>& awaited() const noexcept { return awaited_; }
    /// Waits for the writers of the next look, for those of former ones no more. What is settled stays so.
    void begin_anew() noexcept;

private:
    store::sequence settled_ = 0;
    store::sequence head_ = 0;
    store::sequence candidate_ = 0;
    std::set<std::string> awaited_{};
};

}  // namespace sluice::projection
