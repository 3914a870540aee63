#pragma once

#include <cstddef>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "store/row_source.hpp"

namespace sluice::outbox {

/// Rows that travel together: read behind the cursor, or those of streams being caught up.
struct row_batch {
    std::vector<store::due_row> rows{};
    std::map<std::string, bool> caught_up{};  ///< stream on hold, and whether these are all of its passed rows

    [[nodiscard]] bool empty() const noexcept { return rows.empty(); }
    [[nodiscard]] std::size_t bytes() const noexcept {
        return std::accumulate(rows.begin(), rows.end(), std::size_t{0},
                               [](std::size_t sum, const store::due_row& row) { return sum + store::bytes_of(row); });
    }
    [[nodiscard]] bool from_cursor() const noexcept { return caught_up.empty(); }
    /// The lowest number of a batch from behind the cursor.
    [[nodiscard]] std::optional<store::sequence> lowest() const {
        return empty() || !from_cursor() ? std::nullopt : std::optional{rows.front().seq};
    }
};

}  // namespace sluice::outbox
