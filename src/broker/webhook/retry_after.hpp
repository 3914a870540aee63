#pragma once

#include <string_view>

#include <sluice/time.hpp>

namespace sluice::broker::webhook {

/// No endpoint can ask for a longer pause.
inline constexpr duration longest_retry_after{std::chrono::hours{1}};

/// How long an endpoint asks to be left alone: `Retry-After`, in seconds or as a date. Zero for what is negative, past
/// or no such value. Pure.
/// @param value  of the header; empty when there was none
/// @param answered  the `Date` of the same answer, so that the clocks of both sides need not agree; empty when it has
///                  none: our clock is compared
[[nodiscard]] duration read_retry_after(std::string_view value, std::string_view answered, date_time now);

}  // namespace sluice::broker::webhook
