#include "base/base64.hpp"

#include <sluice/error.hpp>

#include <array>
#include <cstdint>

namespace sluice::base {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_symbol = 0xFF;

constexpr std::array<std::uint8_t, 256> make_values() {
    std::array<std::uint8_t, 256> values{};
    values.fill(no_symbol);
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        values[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
    }
    return values;
}

constexpr std::array<std::uint8_t, 256> values = make_values();

}  // namespace

std::string base64_encode(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::string_view group = bytes.substr(i, 3);
        std::uint32_t bits = 0;
        for (std::size_t j = 0; j < 3; ++j) {
            bits = (bits << 8) | (j < group.size() ? static_cast<std::uint8_t>(group[j]) : 0U);
        }
        for (std::size_t j = 0; j < 4; ++j) {
            text += j <= group.size() ? alphabet[(bits >> (18 - 6 * j)) & 0x3F] : '=';
        }
    }
    return text;
}

std::string base64_decode(std::string_view text) {
    if (text.size() % 4 != 0) throw decode_error{"invalid base64: the length is no multiple of 4"};
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;

    std::string bytes;
    bytes.reserve(text.size() / 4 * 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < text.size() - padding; ++i) {
        const std::uint8_t value = values[static_cast<std::uint8_t>(text[i])];
        if (value == no_symbol) {
            throw decode_error{"invalid base64 at byte " + std::to_string(i) + ": not in the standard alphabet"};
        }
        bits = (bits << 6) | value;
        // From the second symbol of a group on, each one completes a byte.
        if (i % 4 != 0) bytes += static_cast<char>((bits >> (6 - 2 * (i % 4))) & 0xFF);
    }
    const std::uint32_t unused = (1U << (2 * padding)) - 1;
    if ((bits & unused) != 0) throw decode_error{"invalid base64: bits after the last byte are set"};
    return bytes;
}

}  // namespace sluice::base
