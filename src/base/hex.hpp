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

}  // namespace sluice::base
