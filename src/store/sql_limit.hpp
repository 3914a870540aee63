#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace sluice::store {

/// A number of rows as SQL's LIMIT takes it: "as many as there are" is the largest that fits.
[[nodiscard]] constexpr std::int64_t sql_limit(std::size_t rows) noexcept {
    return static_cast<std::int64_t>(std::min<std::size_t>(rows, std::numeric_limits<std::int64_t>::max()));
}

}  // namespace sluice::store
