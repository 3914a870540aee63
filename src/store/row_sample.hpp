#pragma once

#include <cstdint>

#include "store/records.hpp"

namespace sluice::store {

/// Up to so many settled rows of a broker are counted one by one; what is above that is estimated from a sample, so
/// that a look at the outbox costs the same at any length of history.
inline constexpr std::int64_t most_counted_rows = 100'000;

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
