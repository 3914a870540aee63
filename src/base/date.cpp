#include <sluice/date.hpp>

#include <algorithm>

#include <sluice/error.hpp>

#include "base/one_line.hpp"

namespace sluice {
namespace {

constexpr std::string_view date_pattern = "9999-99-99";

bool looks_like_a_date(std::string_view text) {
    return std::equal(text.begin(), text.end(), date_pattern.begin(), date_pattern.end(),
                      [](char c, char in_pattern) { return in_pattern == '9' ? c >= '0' && c <= '9' : c == '-'; });
}

int number_of_digits(std::string_view digits) {
    int number = 0;
    for (const char digit : digits) number = number * 10 + (digit - '0');
    return number;
}

void append_padded(std::string& out, unsigned number, std::size_t width) {
    const std::string digits = std::to_string(number);
    out.append(width - std::min(width, digits.size()), '0').append(digits);
}

}  // namespace

date date::parse(std::string_view text) {
    if (looks_like_a_date(text)) {
        const date read{std::chrono::year{number_of_digits(text.substr(0, 4))} /
                        std::chrono::month{static_cast<unsigned>(number_of_digits(text.substr(5, 2)))} /
                        std::chrono::day{static_cast<unsigned>(number_of_digits(text.substr(8, 2)))}};
        if (read.ok()) return read;
    }
    constexpr std::size_t enough = 64;
    throw decode_error{"'" + base::one_line(text, enough) + "' is not a date; expected for example 2026-11-23"};
}

std::string date::to_string() const {
    std::string text;
    const int year = static_cast<int>(day_.year());
    if (year < 0) text += '-';
    append_padded(text, static_cast<unsigned>(std::abs(year)), 4);
    text += '-';
    append_padded(text, static_cast<unsigned>(day_.month()), 2);
    text += '-';
    append_padded(text, static_cast<unsigned>(day_.day()), 2);
    return text;
}

}  // namespace sluice
