#pragma once

#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace sluice {

/// How a result that has more digits than its type is brought to them. Nothing is ever rounded without one of these.
enum class rounding {
    half_even,       ///< to the nearest; of two that are equally near, to the even digit (`2.5` to `2`)
    half_up,         ///< to the nearest; of two that are equally near, away from zero (`2.5` to `3`, `-2.5` to `-3`)
    toward_zero,     ///< cut off
    away_from_zero,  ///< the next larger magnitude
    floor,           ///< the next smaller value
    ceiling          ///< the next larger value
};

namespace detail {

/// The most digits after the point, so that any decimal has at least one before it.
inline constexpr int most_decimal_digits = 18;

// A decimal is a count of units, the last digit's: 19.99 is 1999 units with two digits.

/// @throws decode_error naming the text and what is wrong with it
[[nodiscard]] std::int64_t decimal_units(std::string_view text, int digits);
[[nodiscard]] std::string decimal_text(std::int64_t units, int digits);
/// @throws validation_error when a result is beyond the range of its type
[[nodiscard]] std::int64_t scale_decimal(std::int64_t units, int from_digits, int to_digits, rounding how);
[[nodiscard]] std::int64_t multiply_decimals(std::int64_t a, std::int64_t b, int digits, int digits_of_b, rounding how);
/// @throws usage_error when b is zero
[[nodiscard]] std::int64_t divide_decimals(std::int64_t a, std::int64_t b, int digits, int digits_of_b, rounding how);
[[noreturn]] void throw_decimal_overflow(int digits);

/// Not a constant expression: a constant that leads here does not compile.
[[noreturn]] void constant_is_no_decimal_of_this_type();

/// For the compiler: digits with or without a sign before and a point between.
constexpr std::int64_t constant_units(std::string_view text, int digits) {
    const bool negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);
    if (text.empty() || text.starts_with('.') || text.ends_with('.')) constant_is_no_decimal_of_this_type();
    std::int64_t units = 0;
    int left = digits;
    bool after_point = false;
    for (const char c : text) {
        if (c == '.' && !after_point) {
            after_point = true;
            continue;
        }
        if (c < '0' || c > '9' || (after_point && left-- == 0)) constant_is_no_decimal_of_this_type();
        units = units * 10 - (c - '0');  // downward: the range reaches further there; overflow is no constant
    }
    for (; left > 0; --left) units *= 10;
    return negative ? units : -units;
}

}  // namespace detail

/// An exact decimal number with a fixed count of digits after the point: money, quantities, rates. No binary fraction
/// is involved anywhere, so `0.10 + 0.20` is `0.30`.
///
/// It has 64 bits: `decimal<2>` reaches from -92,233,720,368,547,758.08 to 92,233,720,368,547,758.07, and every digit
/// more after the point takes one from before it. A result beyond that range is an error and never a wrong number.
/// Sums, differences and whole multiples are exact; what may not be exact asks for a `rounding`.
///
/// @code
/// constexpr sluice::decimal<2> price{"19.99"};  // a wrong constant does not compile
/// const auto given = sluice::decimal<2>::parse(text_from_user);
/// const auto net = price * 3 + sluice::decimal<2>{5};           // 64.97
/// const auto vat = net.times(sluice::decimal<3>{"0.190"}, sluice::rounding::half_up);  // 12.34
/// @endcode
///
/// Text form: `-0.50`, always with all digits after the point.
///
/// @tparam Digits  after the point, 0 to 18
///
/// Thread safety: a value type.
template <int Digits>
class decimal {
    static_assert(Digits >= 0 && Digits <= detail::most_decimal_digits, "a decimal has 0 to 18 digits after the point");

public:
    static constexpr int digits = Digits;

    /// Zero.
    constexpr decimal() = default;
    /// Reads a text as `parse` does. In a constant it is digits with at most a sign and a point, and another text does
    /// not compile.
    /// @throws decode_error naming the text and what is wrong with it
    constexpr explicit decimal(std::string_view text)
        : units_{std::is_constant_evaluated() ? detail::constant_units(text, Digits)
                                              : detail::decimal_units(text, Digits)} {}
    /// A whole number: `decimal<2>{5}` is 5.00, not 5 cents.
    /// @throws validation_error when it is beyond the range
    template <std::integral I>
        requires(!std::same_as<I, bool>)
    constexpr explicit decimal(I whole) {
        if (!std::in_range<std::int64_t>(whole)) detail::throw_decimal_overflow(Digits);
        units_ = static_cast<std::int64_t>(whole);
        for (int i = 0; i < Digits; ++i) units_ = checked_product(units_, 10);
    }
    template <std::floating_point F>
    explicit decimal(F) = delete;  // no binary fraction is the number that was meant
    /// The same number with more digits.
    /// @throws validation_error when it is beyond the range
    template <int Fewer>
        requires(Fewer < Digits)
    constexpr explicit decimal(const decimal<Fewer>& same) : units_{same.units()} {
        for (int i = Fewer; i < Digits; ++i) units_ = checked_product(units_, 10);
    }

    /// @param units  of the last digit: 1999 is 19.99 when there are two
    [[nodiscard]] static constexpr decimal from_units(std::int64_t units) noexcept {
        decimal made;
        made.units_ = units;
        return made;
    }
    /// Reads `19.99`, `-5`, `+0.5`, `1E+3`. More digits after the point than there are must be zeros: nothing is
    /// rounded.
    /// @throws decode_error naming the text and what is wrong with it
    [[nodiscard]] static decimal parse(std::string_view text) {
        return from_units(detail::decimal_units(text, Digits));
    }

    [[nodiscard]] constexpr std::int64_t units() const noexcept { return units_; }
    [[nodiscard]] constexpr bool is_zero() const noexcept { return units_ == 0; }
    [[nodiscard]] constexpr bool is_negative() const noexcept { return units_ < 0; }
    [[nodiscard]] std::string to_string() const { return detail::decimal_text(units_, Digits); }

    // Each of these throws validation_error when the result is beyond the range.

    constexpr decimal& operator+=(decimal b) {
        if (__builtin_add_overflow(units_, b.units_, &b.units_)) detail::throw_decimal_overflow(Digits);
        return *this = b;
    }
    constexpr decimal& operator-=(decimal b) {
        if (__builtin_sub_overflow(units_, b.units_, &b.units_)) detail::throw_decimal_overflow(Digits);
        return *this = b;
    }
    constexpr decimal& operator*=(std::int64_t factor) {
        units_ = checked_product(units_, factor);
        return *this;
    }
    friend constexpr decimal operator+(decimal a, decimal b) { return a += b; }
    friend constexpr decimal operator-(decimal a, decimal b) { return a -= b; }
    friend constexpr decimal operator-(decimal a) { return decimal{} - a; }
    friend constexpr decimal operator*(decimal a, std::int64_t factor) { return a *= factor; }
    friend constexpr decimal operator*(std::int64_t factor, decimal a) { return a *= factor; }

    /// The product, with the digits of this.
    template <int Others>
    [[nodiscard]] decimal times(decimal<Others> factor, rounding how) const {
        return from_units(detail::multiply_decimals(units_, factor.units(), Digits, Others, how));
    }
    /// The quotient, with the digits of this.
    /// @throws usage_error when the divisor is zero
    template <int Others>
    [[nodiscard]] decimal divided_by(decimal<Others> divisor, rounding how) const {
        return from_units(detail::divide_decimals(units_, divisor.units(), Digits, Others, how));
    }
    [[nodiscard]] decimal divided_by(std::int64_t divisor, rounding how) const {
        return from_units(detail::divide_decimals(units_, divisor, Digits, 0, how));
    }
    /// The nearest number with another count of digits.
    template <int Others>
    [[nodiscard]] decimal<Others> rounded(rounding how) const {
        return decimal<Others>::from_units(detail::scale_decimal(units_, Digits, Others, how));
    }

    friend constexpr bool operator==(const decimal&, const decimal&) = default;
    friend constexpr std::strong_ordering operator<=>(const decimal&, const decimal&) = default;

private:
    static constexpr std::int64_t checked_product(std::int64_t a, std::int64_t b) {
        std::int64_t product = 0;
        if (__builtin_mul_overflow(a, b, &product)) detail::throw_decimal_overflow(Digits);
        return product;
    }

    std::int64_t units_ = 0;
};

}  // namespace sluice

template <int Digits>
struct std::hash<sluice::decimal<Digits>> {
    [[nodiscard]] std::size_t operator()(const sluice::decimal<Digits>& number) const noexcept {
        return std::hash<std::int64_t>{}(number.units());
    }
};
