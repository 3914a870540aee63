#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

namespace sluice::observe {

struct queue_limits {
    std::size_t lines = 50'000;
    std::size_t bytes = 8'388'608;
};

/// Lines on their way to a slow reader. What does not fit is dropped, the newest first, and counted; the count takes
/// the place of the lines it stands for. Pure: no thread, no I/O.
///
/// Thread safety: none.
class line_queue {
public:
    /// A line, or the number of lines that are missing at this place.
    struct entry {
        std::string line;
        std::uint64_t missing = 0;
    };

    explicit line_queue(const queue_limits& limits = {}) : limits_{limits} {}

    /// False when the line was dropped.
    bool push(std::string line);
    /// An entry that was taken could not be written.
    void give_back(const entry& unwritten) noexcept;

    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
    /// True when lines are missing and no entry tells so yet.
    [[nodiscard]] bool owes() const noexcept { return untold_ > 0; }
    /// @pre not empty, or owes
    [[nodiscard]] entry take();
    /// All that were dropped or lost so far.
    [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

private:
    void lose() noexcept;

    const queue_limits limits_;
    std::deque<entry> entries_;
    std::size_t bytes_ = 0;
    std::uint64_t dropped_ = 0;
    std::uint64_t untold_ = 0;  ///< of these, those that no entry stands for yet
};

}  // namespace sluice::observe
