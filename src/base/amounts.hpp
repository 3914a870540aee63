#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include <sluice/time.hpp>

/// Amounts as people read them.
namespace sluice::base {

/// `3m 12s`, `2h 5m`, `4d 1h`, `0s`: the two largest units. A negative age (clocks differ) is `0s`.
[[nodiscard]] std::string age_text(duration age);

/// `1,234,567`.
[[nodiscard]] std::string count_text(std::int64_t count);

/// `1 row`, `12 rows`, `1,200 rows`.
[[nodiscard]] std::string count_of(std::int64_t count, std::string_view singular, std::string_view plural = {});
/// Of a size.
template <std::unsigned_integral Count>
[[nodiscard]] std::string count_of(Count count, std::string_view singular, std::string_view plural = {}) {
    return count_of(static_cast<std::int64_t>(count), singular, plural);
}

}  // namespace sluice::base
