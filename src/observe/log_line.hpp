#pragma once

#include <span>
#include <string>
#include <string_view>

#include "observe/log.hpp"

namespace sluice::observe {

/// `lane.paused broker=partner reason="no such host"`. A value stands bare when it is made of visible characters other
/// than quotes, `=` and backslashes; everything else is quoted and escaped as in JSON, so that a line stays one line.
[[nodiscard]] std::string text_line(std::string_view event, std::span<const log_field> fields);

/// `"event":"lane.paused","broker":"partner",…`: the members of one JSON object, without its braces.
[[nodiscard]] std::string json_members(std::string_view event, std::span<const log_field> fields);

}  // namespace sluice::observe
