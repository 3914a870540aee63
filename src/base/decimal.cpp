#include <sluice/decimal.hpp>

#include <boost/multiprecision/cpp_int.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <system_error>

#include <sluice/error.hpp>

#include "base/decimal_text.hpp"
#include "base/one_line.hpp"

namespace sluice {
namespace base {
namespace {

/// The parts of a number's text: the value is `digits` times ten to the power of `exponent`.
struct decimal_parts {
    bool negative = false;
    std::string digits{};  ///< without leading zeros
    std::int64_t exponent = 0;
};

/// Beyond this no digit of a number that fits has any effect, and counting on could not overflow.
constexpr std::int64_t largest_exponent = 1'000'000'000;

std::optional<std::int64_t> exponent_in(std::string_view text) {
    const bool is_signed = text.starts_with('+');
    if (is_signed) text.remove_prefix(1);
    if (is_signed && text.starts_with('-')) return std::nullopt;
    std::int64_t exponent = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (error == std::errc::result_out_of_range && end == text.data() + text.size()) {
        return text.starts_with('-') ? -largest_exponent : largest_exponent;
    }
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return std::clamp(exponent, -largest_exponent, largest_exponent);
}

std::optional<decimal_parts> decimal_parts_of(std::string_view text) {
    decimal_parts parts;
    if (text.starts_with('-') || text.starts_with('+')) {
        parts.negative = text.front() == '-';
        text.remove_prefix(1);
    }
    const auto mark = text.find_first_of("eE");
    if (mark != std::string_view::npos) {
        const auto exponent = exponent_in(text.substr(mark + 1));
        if (!exponent) return std::nullopt;
        parts.exponent = *exponent;
        text = text.substr(0, mark);
    }
    const auto point = std::min(text.find('.'), text.size());
    const auto fraction = text.substr(std::min(point + 1, text.size()));
    parts.digits = std::string{text.substr(0, point)}.append(fraction);
    parts.exponent -= static_cast<std::int64_t>(fraction.size());
    if (parts.digits.empty() || parts.digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
    parts.digits.erase(0, std::min(parts.digits.find_first_not_of('0'), parts.digits.size()));
    return parts;
}

/// Is a number that ends in `kept`, and goes on with these digits, nearer to the next one?
bool is_rounded_up(std::string_view kept, std::string_view dropped) {
    if (dropped.empty() || dropped.front() < '5') return false;
    const bool is_half = dropped.front() == '5' && dropped.find_first_not_of('0', 1) == std::string_view::npos;
    return !is_half || (!kept.empty() && (kept.back() - '0') % 2 != 0);
}

}  // namespace

decimal_reading read_decimal(std::string_view text, int digits, excess_digits excess) {
    constexpr decimal_reading too_large{.problem = decimal_problem::too_large};
    constexpr std::int64_t longest = 19;  // digits that 64 bits hold
    auto parts = decimal_parts_of(text);
    if (!parts) return {.problem = decimal_problem::malformed};
    if (parts->digits.empty()) return {};
    const auto size = static_cast<std::int64_t>(parts->digits.size());
    const std::int64_t shift = parts->exponent + digits;
    if (size + shift > longest) return too_large;
    bool up = false;
    if (shift >= 0) {
        parts->digits.append(static_cast<std::size_t>(shift), '0');
    } else {
        // All of it lies behind the last digit when it is shifted by more than its length.
        const auto kept = static_cast<std::size_t>(std::max<std::int64_t>(size + shift, 0));
        auto dropped = parts->digits.substr(kept);
        if (excess == excess_digits::refuse && dropped.find_first_not_of('0') != std::string::npos) {
            return {.problem = decimal_problem::too_fine};
        }
        if (size + shift < 0) dropped.insert(0, "0");
        parts->digits.resize(kept);
        up = is_rounded_up(parts->digits, dropped);
    }
    std::uint64_t magnitude = 0;
    std::from_chars(parts->digits.data(), parts->digits.data() + parts->digits.size(), magnitude);
    if (up) ++magnitude;
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (magnitude > most + (parts->negative ? 1 : 0)) return too_large;
    return {.units = static_cast<std::int64_t>(parts->negative ? ~magnitude + 1 : magnitude)};
}

}  // namespace base

namespace detail {
namespace {

using wide = boost::multiprecision::int128_t;

std::string decimal_type(int digits) { return "decimal<" + std::to_string(digits) + ">"; }

wide power_of_ten(int exponent) {
    wide power = 1;
    for (int i = 0; i < exponent; ++i) power *= 10;
    return power;
}

bool is_away_from_zero(rounding how, bool negative, bool odd, int compared_with_half) {
    switch (how) {
        case rounding::half_even:
            return compared_with_half > 0 || (compared_with_half == 0 && odd);
        case rounding::half_up:
            return compared_with_half >= 0;
        case rounding::away_from_zero:
            return true;
        case rounding::floor:
            return negative;
        case rounding::ceiling:
            return !negative;
        case rounding::toward_zero:
            break;
    }
    return false;
}

wide rounded_quotient(const wide& dividend, const wide& divisor, rounding how) {
    wide quotient = dividend / divisor;  // cut off
    const wide rest = abs(dividend % divisor);
    if (rest == 0) return quotient;
    const bool negative = (dividend < 0) != (divisor < 0);
    const wide twice = rest * 2;
    if (!is_away_from_zero(how, negative, quotient % 2 != 0, twice.compare(abs(divisor)))) return quotient;
    return negative ? wide{quotient - 1} : wide{quotient + 1};
}

std::int64_t within_range(const wide& units, int digits) {
    using limits = std::numeric_limits<std::int64_t>;
    if (units < limits::min() || units > limits::max()) throw_decimal_overflow(digits);
    return static_cast<std::int64_t>(units);
}

}  // namespace

std::int64_t decimal_units(std::string_view text, int digits) {
    const auto [units, problem] = base::read_decimal(text, digits);
    if (problem == base::decimal_problem::none) return units;
    constexpr std::size_t enough = 64;
    const auto fail = [&](const std::string& what) {
        throw decode_error{"'" + base::one_line(text, enough) + "' " + what};
    };
    if (problem == base::decimal_problem::too_fine) {
        fail("has more than " + std::to_string(digits) + " digits after the point; round it first");
    }
    if (problem == base::decimal_problem::too_large) fail("is beyond the range of " + decimal_type(digits));
    fail("is not a decimal number; expected for example " + decimal_text(digits == 0 ? 1999 : -50, digits));
    return 0;
}

std::string decimal_text(std::int64_t units, int digits) {
    const auto magnitude = units < 0 ? ~static_cast<std::uint64_t>(units) + 1 : static_cast<std::uint64_t>(units);
    std::string text = std::to_string(magnitude);
    const auto after = static_cast<std::size_t>(digits);
    if (text.size() <= after) text.insert(0, after + 1 - text.size(), '0');
    if (after > 0) text.insert(text.size() - after, 1, '.');
    if (units < 0) text.insert(0, 1, '-');
    return text;
}

std::int64_t scale_decimal(std::int64_t units, int from_digits, int to_digits, rounding how) {
    if (to_digits >= from_digits) return within_range(units * power_of_ten(to_digits - from_digits), to_digits);
    return within_range(rounded_quotient(units, power_of_ten(from_digits - to_digits), how), to_digits);
}

std::int64_t multiply_decimals(std::int64_t a, std::int64_t b, int digits, int digits_of_b, rounding how) {
    return within_range(rounded_quotient(wide{a} * b, power_of_ten(digits_of_b), how), digits);
}

std::int64_t divide_decimals(std::int64_t a, std::int64_t b, int digits, int digits_of_b, rounding how) {
    if (b == 0) throw usage_error{"a " + decimal_type(digits) + " was divided by zero; look at the divisor first"};
    return within_range(rounded_quotient(a * power_of_ten(digits_of_b), b, how), digits);
}

void throw_decimal_overflow(int digits) {
    using limits = std::numeric_limits<std::int64_t>;
    throw validation_error{decimal_type(digits),
                           {{{},
                             "the result is beyond its range, from " + decimal_text(limits::min(), digits) + " to " +
                                 decimal_text(limits::max(), digits)}}};
}

void constant_is_no_decimal_of_this_type() { throw usage_error{"a constant is no decimal of its type"}; }

}  // namespace detail
}  // namespace sluice
