#include "envelope/percent_header.hpp"

#include <cstdint>

#include "base/address_text.hpp"
#include "base/utf8.hpp"

namespace sluice::envelope {

namespace {

/// `"a \"b\""` becomes `a "b"`; a text without quotes around it stays as it is.
std::string without_quotes(std::string_view value) {
    if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::string{value};
    std::string inside;
    for (std::size_t i = 1; i + 1 < value.size(); ++i) {
        if (value[i] == '\\' && i + 2 < value.size()) ++i;
        inside += value[i];
    }
    return inside;
}

}  // namespace

std::string percent_encoded(std::string_view value) {
    static constexpr std::string_view digits = "0123456789ABCDEF";
    std::string encoded;
    encoded.reserve(value.size());
    for (const char each : value) {
        const bool is_plain = each > ' ' && each <= '~' && each != '"' && each != '%';
        if (is_plain) {
            encoded += each;
            continue;
        }
        const auto byte = static_cast<std::uint8_t>(each);
        encoded += '%';
        encoded += digits[byte >> 4];
        encoded += digits[byte & 0xF];
    }
    return encoded;
}

std::optional<std::string> percent_decoded(std::string_view value) {
    auto decoded = base::strictly_percent_decoded(without_quotes(value));
    if (decoded && !base::is_utf8(*decoded)) return std::nullopt;
    return decoded;
}

}  // namespace sluice::envelope
