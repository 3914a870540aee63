#include "config/printable.hpp"

#include <fmt/format.h>

#include "base/address_text.hpp"
#include "base/utf8.hpp"

namespace sluice::config {

namespace {

/// Characters that move the cursor, end the line, colour the terminal or reorder what stands around them.
bool is_unsafe(char32_t c) {
    const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0);
    const bool line_end = c == 0x2028 || c == 0x2029;
    const bool direction =
        c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
    return control || line_end || direction || c == 0xFEFF;
}

std::string escape(char32_t c) {
    switch (c) {
        case '\n':
            return "\\n";
        case '\r':
            return "\\r";
        case '\t':
            return "\\t";
        default:
            break;
    }
    const auto number = static_cast<std::uint32_t>(c);
    return number < 0x100 ? fmt::format("\\x{:02x}", number) : fmt::format("\\u{:04x}", number);
}

}  // namespace

std::string printable(std::string_view text, std::size_t limit) {
    std::string safe;
    for (std::size_t shown = 0; !text.empty(); ++shown) {
        if (shown == limit) return safe + "…";
        const base::utf8_sequence next = base::decode_utf8(text);
        const std::string_view bytes = text.substr(0, next.length);
        text.remove_prefix(next.length);
        if (!next.well_formed) {
            for (const char byte : bytes) safe += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
        } else if (is_unsafe(next.code_point)) {
            safe += escape(next.code_point);
        } else {
            safe += bytes;
        }
    }
    return safe;
}

std::string masked_uri(std::string_view uri) { return printable(base::shown_address(uri)); }

}  // namespace sluice::config
