#pragma once

#include <string>
#include <string_view>

#include "base/utf8.hpp"

namespace sluice::base {

/// A text of unknown origin as it may stand in a log, a trace or a dead letter: control characters become spaces, bytes
/// that are no UTF-8 become U+FFFD, and before `limit` bytes are exceeded it is cut.
[[nodiscard]] inline std::string one_line(std::string_view text, std::size_t limit = 500) {
    constexpr char32_t replacement = 0xFFFD;
    constexpr char32_t space = 0x20;
    constexpr char32_t del = 0x7F;
    std::string result;
    while (!text.empty()) {
        const auto next = decode_utf8(text);
        const auto before = result.size();
        const bool is_control = next.well_formed && (next.code_point < space || next.code_point == del);
        append_utf8(result, is_control ? space : next.well_formed ? next.code_point : replacement);
        if (result.size() > limit) {
            result.resize(before);
            return result + "…";
        }
        text.remove_prefix(next.length);
    }
    return result;
}

}  // namespace sluice::base
