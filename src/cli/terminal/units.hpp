#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <sluice/time.hpp>

#include "base/amounts.hpp"

namespace sluice::cli {

using base::age_text;
using base::count_of;
using base::count_text;

/// `1 row`, `12 rows`.
[[nodiscard]] inline std::string number_of(std::size_t count, std::string_view what) {
    return count_of(static_cast<std::int64_t>(count), what);
}

/// Reads `90s`, `10m`, `1h30m`, `7d`, `500ms`.
/// @throws failure (usage) naming the text and the form
[[nodiscard]] duration parse_age(std::string_view text);

}  // namespace sluice::cli
