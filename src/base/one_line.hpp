#pragma once

#include <string>
#include <string_view>

namespace sluice::base {

/// A text of unknown origin as it may stand in a log, a trace or a dead letter: control characters become spaces, and
/// after `limit` bytes it is cut at a character's end.
[[nodiscard]] inline std::string one_line(std::string_view text, std::size_t limit = 500) {
    const bool cut = text.size() > limit;
    if (cut) {
        constexpr unsigned char continuation = 0x80;
        constexpr unsigned char top_bits = 0xC0;
        while (limit > 0 && (static_cast<unsigned char>(text[limit]) & top_bits) == continuation) --limit;
    }
    std::string result{text.substr(0, limit)};
    for (char& c : result) {
        constexpr unsigned char space = 0x20;
        constexpr unsigned char del = 0x7F;
        if (static_cast<unsigned char>(c) < space || static_cast<unsigned char>(c) == del) c = ' ';
    }
    if (cut) result += "…";
    return result;
}

}  // namespace sluice::base
