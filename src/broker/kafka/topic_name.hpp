#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "broker/partner_name.hpp"

namespace sluice::broker::kafka {

/// The topic of a stream: `shop.order` of `shop::order`.
[[nodiscard]] inline std::string topic_of(std::string_view prefix, std::string_view stream) {
    return std::string{prefix} + partner_name(stream);
}

/// Two topics for which this is the same exclude each other: Kafka names its metrics with `_` for `.`, and refuses to
/// make the second one.
[[nodiscard]] inline std::string taken_as(std::string topic) {
    std::ranges::replace(topic, '.', '_');
    return topic;
}

/// Whether Kafka takes a topic of this name: 1 to 249 of `A-Z a-z 0-9 . _ -`, but neither `.` nor `..`.
[[nodiscard]] inline bool is_topic_name(std::string_view name) {
    constexpr std::size_t longest = 249;
    const auto is_allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
               c == '-';
    };
    return !name.empty() && name.size() <= longest && name != "." && name != ".." &&
           std::ranges::all_of(name, is_allowed);
}

}  // namespace sluice::broker::kafka
