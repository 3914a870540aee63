#pragma once

#include <sluice/time.hpp>

#include <compare>
#include <cstddef>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

/// The types of fields that carry a rule: `identifier`, `text`, `string<N>` (and `date_time`, `date`, `uuid` in
/// headers of their own).
///
/// No constructor refuses a value. One that breaks the rule is kept as it is, and `codec::validate()` reports it
/// together with every other offender of the same event, command or aggregate; a constructor could only ever name the
/// first. `process()`, `raise()` and commit validate, so nothing invalid passes.
///
/// Thread safety: value types.
namespace sluice {

/// What a text must keep to. Lengths count characters (code points), not bytes. Every text is besides valid UTF-8
/// without the character U+0000: PostgreSQL cannot keep that one, and a domain shall not depend on its store. (Text
/// that was stored with it before this rule stays readable, and is refused when it is written again.)
///
/// Thread safety: a value type.
struct text_rule {
    std::size_t min_length = 0;
    std::size_t max_length = std::numeric_limits<std::size_t>::max();
};

namespace detail {

/// What the kinds of text share. They compare with each other and with every other kind of string.
class string_field {
public:
    [[nodiscard]] const std::string& str() const& noexcept { return value_; }
    [[nodiscard]] std::string str() && noexcept { return std::move(value_); }
    [[nodiscard]] std::string_view view() const noexcept { return value_; }
    [[nodiscard]] bool empty() const noexcept { return value_.empty(); }

    friend bool operator==(const string_field& a, const string_field& b) noexcept { return a.value_ == b.value_; }
    friend bool operator==(const string_field& a, std::string_view b) noexcept { return a.value_ == b; }
    friend std::strong_ordering operator<=>(const string_field& a, const string_field& b) noexcept {
        return a.view() <=> b.view();
    }
    friend std::strong_ordering operator<=>(const string_field& a, std::string_view b) noexcept {
        return a.view() <=> b;
    }

protected:
    string_field() = default;
    // Explicit: a literal must not become a string_field by itself, or no comparison with one would be unambiguous.
    explicit string_field(std::string value) noexcept : value_{std::move(value)} {}

private:
    std::string value_;
};

struct string_field_hash {
    [[nodiscard]] std::size_t operator()(const string_field& field) const noexcept {
        return std::hash<std::string_view>{}(field.view());
    }
};

}  // namespace detail

// NOLINTBEGIN(google-explicit-constructor): a field is written as the string that it is.

/// The identity of an aggregate, or a reference to one: 1 to 255 characters, as in the wire format.
///
/// Thread safety: a value type.
class identifier : public detail::string_field {
public:
    static constexpr text_rule rule{.min_length = 1, .max_length = 255};

    identifier() = default;
    identifier(const char* value) : string_field{std::string{value}} {}
    identifier(std::string value) noexcept : string_field{std::move(value)} {}
    identifier(std::string_view value) : string_field{std::string{value}} {}
    identifier(std::nullptr_t) = delete;
};

/// Text of any length.
///
/// Thread safety: a value type.
class text : public detail::string_field {
public:
    static constexpr text_rule rule{};

    text() = default;
    text(const char* value) : string_field{std::string{value}} {}
    text(std::string value) noexcept : string_field{std::move(value)} {}
    text(std::string_view value) : string_field{std::string{value}} {}
    text(std::nullptr_t) = delete;
};

/// Text of at most `N` characters.
///
/// Thread safety: a value type.
template <std::size_t N>
class string : public detail::string_field {
public:
    static constexpr text_rule rule{.max_length = N};

    string() = default;
    string(const char* value) : string_field{std::string{value}} {}
    string(std::string value) noexcept : string_field{std::move(value)} {}
    string(std::string_view value) : string_field{std::string{value}} {}
    string(std::nullptr_t) = delete;
};

// NOLINTEND(google-explicit-constructor)

}  // namespace sluice

template <>
struct std::hash<sluice::identifier> : sluice::detail::string_field_hash {};
template <>
struct std::hash<sluice::text> : sluice::detail::string_field_hash {};
template <std::size_t N>
struct std::hash<sluice::string<N>> : sluice::detail::string_field_hash {};
