#include "config/printable.hpp"

#include <fmt/format.h>

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

/// `host`, `host:6379`, `[::1]:6379`: nothing that could be a password whose `@` was forgotten.
bool is_host_and_port(std::string_view authority) {
    constexpr std::string_view digits = "0123456789";
    const auto colon = authority.rfind(':');
    if (colon != std::string_view::npos && !authority.ends_with(']')) {
        if (authority.substr(colon + 1).find_first_not_of(digits) != std::string_view::npos) return false;
        authority = authority.substr(0, colon);
    }
    if (authority.starts_with('[') && authority.ends_with(']')) return true;
    return authority.find_first_of(":;= ") == std::string_view::npos;
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

std::string masked_uri(std::string_view uri) {
    const auto scheme_end = uri.find("://");
    if (scheme_end == std::string_view::npos) {
        const bool plain_path = uri.find_first_of("=@:?; ") == std::string_view::npos;
        return plain_path ? printable(uri) : "(hidden)";
    }
    const std::string_view scheme = uri.substr(0, scheme_end + 3);
    std::string_view rest = uri.substr(scheme.size());
    rest = rest.substr(0, rest.find_first_of("?#"));
    // A password may hold an unescaped `/` or `@`, so everything up to the last `@` goes.
    if (const auto at = rest.rfind('@'); at != std::string_view::npos) rest.remove_prefix(at + 1);
    if (!is_host_and_port(rest.substr(0, rest.find('/')))) rest = "(hidden)";
    return printable(std::string{scheme} + std::string{rest});
}

}  // namespace sluice::config
