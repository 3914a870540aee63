#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace sluice::base {

/// What stands at the front of a text: a code point, or a malformed sequence.
struct utf8_sequence {
    char32_t code_point;
    std::uint8_t length;  ///< Bytes; of a malformed sequence the longest part that could have begun a good one.
    bool well_formed;
};

/// Decodes strictly (Unicode table 3-7): no overlong form, no surrogate, nothing above U+10FFFF.
/// @param text  not empty
[[nodiscard]] constexpr utf8_sequence decode_utf8(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t lead = byte(0);
    if (lead < 0x80) return {lead, 1, true};
    if (lead < 0xC2 || lead > 0xF4) return {0, 1, false};

    const std::uint8_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    // Only the second byte has bounds of its own: they keep out overlong forms, surrogates and what is too large.
    std::uint8_t lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    std::uint8_t highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    char32_t code_point = static_cast<char32_t>(lead & (0x7F >> length));
    for (std::uint8_t i = 1; i < length; ++i) {
        if (i == text.size() || byte(i) < lowest || byte(i) > highest) return {0, i, false};
        code_point = (code_point << 6) | (byte(i) & 0x3F);
        lowest = 0x80;
        highest = 0xBF;
    }
    return {code_point, length, true};
}

/// How many bytes at the front of the text are surely ASCII and not U+0000: looks at eight at a time.
[[nodiscard]] inline std::size_t ascii_prefix(std::string_view text) noexcept {
    constexpr std::uint64_t ones = 0x0101010101010101;
    constexpr std::uint64_t tops = 0x8080808080808080;
    std::size_t length = 0;
    for (; text.size() - length >= sizeof(std::uint64_t); length += sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + length, sizeof word);
        if (((word | (word - ones)) & tops) != 0) break;  // only a zero borrows
    }
    return length;
}

/// Whether the text is valid UTF-8.
[[nodiscard]] inline bool is_utf8(std::string_view text) noexcept {
    text.remove_prefix(ascii_prefix(text));
    while (!text.empty()) {
        const utf8_sequence next = decode_utf8(text);
        if (!next.well_formed) return false;
        text.remove_prefix(next.length);
    }
    return true;
}

/// Whether every store can keep the text: it is valid UTF-8 without U+0000.
[[nodiscard]] inline bool is_storable(std::string_view text) noexcept {
    text.remove_prefix(ascii_prefix(text));
    while (!text.empty()) {
        const utf8_sequence next = decode_utf8(text);
        if (!next.well_formed || next.code_point == 0) return false;
        text.remove_prefix(next.length);
    }
    return true;
}

/// @param code_point  a Unicode scalar value
inline void append_utf8(std::string& out, char32_t code_point) {
    const auto put = [&](char32_t byte) { out += static_cast<char>(byte); };
    const auto put_tail = [&](unsigned shift) { put(0x80 | ((code_point >> shift) & 0x3F)); };
    if (code_point < 0x80) {
        put(code_point);
    } else if (code_point < 0x800) {
        put(0xC0 | (code_point >> 6));
        put_tail(0);
    } else if (code_point < 0x10000) {
        put(0xE0 | (code_point >> 12));
        put_tail(6);
        put_tail(0);
    } else {
        put(0xF0 | (code_point >> 18));
        put_tail(12);
        put_tail(6);
        put_tail(0);
    }
}

}  // namespace sluice::base
