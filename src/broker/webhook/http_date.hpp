#pragma once

#include <optional>
#include <string_view>

#include <sluice/time.hpp>

namespace sluice::broker::webhook {

/// Reads a date of HTTP (RFC 9110, 5.6.7) in any of its three forms: `Sun, 06 Nov 1994 08:49:37 GMT`,
/// `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`. The name of the day is not compared. Pure.
/// @param now  a year of two digits is the one that is not more than 50 years behind it
[[nodiscard]] std::optional<date_time> read_http_date(std::string_view text, date_time now);

}  // namespace sluice::broker::webhook
