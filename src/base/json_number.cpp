#include "base/json_text.hpp"

#include <sluice/error.hpp>
#include <sluice/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

namespace sluice::json {
namespace {

/// Of a number that no double can hold: true when it is too large, false when it is too close to zero.
bool is_huge(std::string_view digits) {
    const std::size_t exponent_mark = std::min(digits.find_first_of("eE"), digits.size());
    const std::string_view mantissa = digits.substr(0, exponent_mark);
    std::string_view exponent_text = digits.substr(std::min(exponent_mark + 1, digits.size()));
    if (exponent_text.starts_with('+')) exponent_text.remove_prefix(1);
    std::int64_t exponent = 0;
    const auto [end, failure] =
        std::from_chars(exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent);
    if (failure == std::errc::result_out_of_range) return !exponent_text.starts_with('-');

    const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
    const std::size_t first_digit = mantissa.find_first_of("123456789");
    return exponent > static_cast<std::int64_t>(first_digit) - static_cast<std::int64_t>(point);
}

}  // namespace

double to_double(std::string_view number_text) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (number_text == "NaN") return std::numeric_limits<double>::quiet_NaN();
    const bool negative = number_text.starts_with('-');
    const std::string_view digits = number_text.substr(negative ? 1 : 0);

    double magnitude = 0;
    if (digits == "Infinity") {
        magnitude = infinity;
    } else {
        const char* const last = digits.data() + digits.size();
        const auto [end, failure] = std::from_chars(digits.data(), last, magnitude);
        const bool starts_with_digit = !digits.empty() && digits.front() >= '0' && digits.front() <= '9';
        if (!starts_with_digit || end != last) {
            throw decode_error{"a JSON number does not have the form of a number; write it as RFC 8259 says"};
        }
        if (failure == std::errc::result_out_of_range) magnitude = is_huge(digits) ? infinity : 0.0;
    }
    return negative ? -magnitude : magnitude;
}

void append_double(std::string& out, double d) {
    if (std::isnan(d)) {
        out += "NaN";
        return;
    }
    if (std::isinf(d)) {
        out += d < 0 ? "-Infinity" : "Infinity";
        return;
    }
    const double magnitude = std::fabs(d);
    const bool fixed = magnitude == 0 || (magnitude >= 1e-4 && magnitude < 1e16);
    std::array<char, 32> buffer{};
    const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), d,
                                       fixed ? std::chars_format::fixed : std::chars_format::scientific);
    const std::string_view text{buffer.data(), written.ptr};
    out += text;
    if (fixed && text.find('.') == std::string_view::npos) out += ".0";
}

void append_python_number(std::string& out, std::string_view number_text) {
    if (is_float(number_text)) {
        append_double(out, to_double(number_text));
    } else {
        out += number_text == "-0" ? "0" : number_text;
    }
}

}  // namespace sluice::json
