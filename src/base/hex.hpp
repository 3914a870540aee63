#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::base {

/// Appends the last `digits` hexadecimal digits of `number`, lower-case, zero-filled.
/// @param digits  1 to 16
inline void append_hex(std::string& out, std::uint64_t number, unsigned digits) {
    constexpr std::string_view symbols = "0123456789abcdef";
    for (unsigned shift = 4 * digits; shift != 0;) {
        shift -= 4;
        out += symbols[(number >> shift) & 0xF];
    }
}

/// Two digits for each byte.
[[nodiscard]] inline std::string hex_of(std::string_view bytes) {
    std::string text;
    text.reserve(2 * bytes.size());
    for (const char byte : bytes) append_hex(text, static_cast<unsigned char>(byte), 2);
    return text;
}

}  // namespace sluice::base
