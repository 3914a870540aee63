#pragma once

#include <string_view>

#include <sluice/time.hpp>

#include "base/amounts.hpp"

namespace sluice::cli {

using base::age_text;
using base::count_of;
using base::count_text;

/// Reads `90s`, `10m`, `1h30m`, `7d`, `500ms`.
/// @throws failure (usage) naming the text and the form
[[nodiscard]] duration parse_age(std::string_view text);

}  // namespace sluice::cli
