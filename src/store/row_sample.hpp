#pragma once

#include <cstdint>
#include <vector>

#include "store/number_range.hpp"

namespace sluice::store {

/// Up to so many rows or events of a broker are counted one by one; what is above that is estimated from a sample, so
/// that a look at the outbox costs the same at any length of history and of what waits.
inline constexpr std::int64_t most_counted_rows = 100'000;

[[nodiscard]] constexpr bool is_counted(const number_range& range) noexcept {
    return range.upto - range.after <= most_counted_rows;
}

/// Where events lie that may be pending: in one range when all of it can be counted, else in that which the ledger has
/// something of, where few are, and that behind it, where all are. Pure.
/// @param above   nothing is pending up to here
/// @param listed  the last number in the ledger
/// @param last    of the log
[[nodiscard]] std::vector<number_range> pending_ranges(sequence above, sequence listed, sequence last);

/// A sample of the rows whose numbers lie in a range: short windows at even distances. Pure.
struct row_sample {
    static constexpr sequence windows = 128;
    /// Numbers in one window. Where every second, third, … or sixth event has a row, each window holds the same share.
    static constexpr sequence width = 60;

    sequence first = 0;     ///< where the first window begins
    sequence last = 0;      ///< no window begins behind it
    sequence step = width;  ///< from one window's beginning to the next one's

    /// @param from,upto  the range, both included
    [[nodiscard]] static row_sample over(sequence from, sequence upto) noexcept;
    /// How many rows the range holds when the windows held `found`.
    [[nodiscard]] std::int64_t estimate(std::int64_t found) const noexcept;
};

}  // namespace sluice::store
