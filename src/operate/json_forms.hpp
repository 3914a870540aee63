#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <sluice/json.hpp>
#include <sluice/time.hpp>

/// Values in the JSON of views: what is absent is null, times are ISO 8601 in UTC.
namespace sluice::operate {

[[nodiscard]] inline json::value text_or_null(std::string_view text) {
    return text.empty() ? json::value{} : json::value{text};
}

[[nodiscard]] inline json::value time_or_null(const std::optional<date_time>& time) {
    return time ? json::value{time->to_string()} : json::value{};
}

/// JSON text that was stored by us; kept as text when somebody else has broken it.
[[nodiscard]] json::value embedded(std::string_view json_text);

}  // namespace sluice::operate
