#pragma once

#include <string>
#include <string_view>

#include <sluice/time.hpp>

namespace sluice {

/// ISO 8601, as Python's pydantic writes a `timedelta`: `PT1H30M`, `P2DT0.5S`, `-PT15M`; zero is `PT0S`. A day has 24
/// hours.
[[nodiscard]] std::string format_duration(duration length);

/// Reads ISO 8601 with weeks, days, hours, minutes and seconds, each at most once, the last one with a fraction if need
/// be; what is finer than a microsecond is cut off. Years and months have no fixed length and are refused.
/// @throws decode_error naming the text
[[nodiscard]] duration parse_duration(std::string_view text);

}  // namespace sluice
