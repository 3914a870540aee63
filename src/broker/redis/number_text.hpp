#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>

namespace sluice::broker::redis {

/// The number at the front of a text that somebody else may have written; 0 when there is none.
[[nodiscard]] inline std::int64_t number_or_zero(std::string_view text) {
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

}  // namespace sluice::broker::redis
