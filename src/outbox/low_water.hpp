#pragma once

#include <algorithm>
#include <initializer_list>
#include <optional>

#include "store/records.hpp"

namespace sluice::outbox {

/// The highest number up to which every row of the lane is settled: the cursor, held down by the lowest row that is
/// still open somewhere (in hand, or in a stream on hold).
[[nodiscard]] inline store::sequence low_water_mark(store::sequence cursor,
                                                    std::initializer_list<std::optional<store::sequence>> lowest_open) {
    for (const auto& open : lowest_open) {
        if (open) cursor = std::min(cursor, *open - 1);
    }
    return cursor;
}

}  // namespace sluice::outbox
