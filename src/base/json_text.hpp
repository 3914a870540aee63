#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

/// What the reader and the writer of JSON share.
namespace sluice::json {

/// What follows the backslash in a short escape, and the character it stands for at the same place.
inline constexpr std::string_view escape_letters = "\"\\/bfnrt";
inline constexpr std::string_view escaped_characters = "\"\\/\b\f\n\r\t";

/// True for the bytes that every style writes as they are: printable ASCII but the quote and the backslash.
[[nodiscard]] constexpr bool is_plain(char c) noexcept { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; }

/// The first byte in [first, last) that is not plain, or `last`. Looks at eight bytes at a time.
[[nodiscard]] inline const char* find_not_plain(const char* first, const char* last) noexcept {
    constexpr std::uint64_t ones = 0x0101010101010101;
    constexpr std::uint64_t tops = 0x8080808080808080;
    const auto top_where_below = [](std::uint64_t word, unsigned limit) { return (word - ones * limit) & ~word; };
    const auto top_where_equal = [&](std::uint64_t word, char c) {
        return top_where_below(word ^ (ones * static_cast<std::uint8_t>(c)), 1);
    };
    for (; last - first >= 8; first += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, first, sizeof word);
        // A carry between bytes can mark a plain byte, never miss one that is not; the loop below decides.
        const std::uint64_t marks = word | (word + ones) | top_where_below(word, 0x20) | top_where_equal(word, '"') |
                                    top_where_equal(word, '\\');
        if ((marks & tops) == 0) continue;
        for (const char* c = first; c != first + 8; ++c) {
            if (!is_plain(*c)) return c;
        }
    }
    while (first != last && is_plain(*first)) ++first;
    return first;
}

/// True when Python would read the number as a float: it has a fraction or an exponent.
[[nodiscard]] inline bool is_float(std::string_view number_text) noexcept {
    return number_text.find_first_of(".eE") != std::string_view::npos;
}

/// The nearest double to the text of a JSON number, including `NaN` and `Infinity`.
/// @throws decode_error when the text is no number
[[nodiscard]] double to_double(std::string_view number_text);

/// Appends the number as Python writes it after having read it: floats by their value, integers as they are.
void append_python_number(std::string& out, std::string_view number_text);

}  // namespace sluice::json
