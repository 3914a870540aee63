#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// JSON as the wire needs it: numbers keep their text (`2.0` is not `2`, 2^70 is not cut), objects keep their order,
/// and the canonical form is byte for byte the one that the checksum of the wire format wants.
namespace sluice::json {

enum class kind { null, boolean, number, string, array, object };
[[nodiscard]] const char* to_string(kind k) noexcept;

class value;
using array = std::vector<value>;

/// A number as it was written. Two numbers are equal when their texts are.
///
/// Thread safety: a value type.
struct number {
    std::string text;
    friend bool operator==(const number&, const number&) = default;
};

/// An object in insertion order. Of a repeated key the last value counts, at the place of the first, as in Python.
/// Two objects are equal when they have equal members, in whatever order.
///
/// Thread safety: a value type; const members may be called concurrently. Lifetime: pointers, references and iterators
/// to its members are valid until it changes.
class object {
public:
    using member = std::pair<std::string, value>;
    using const_iterator = std::vector<member>::const_iterator;

    object() = default;
    object(std::initializer_list<member> members);
    explicit object(std::vector<member> members);

    [[nodiscard]] const value* find(std::string_view key) const noexcept;
    [[nodiscard]] value* find(std::string_view key) noexcept;
    [[nodiscard]] bool contains(std::string_view key) const noexcept { return find(key) != nullptr; }
    /// @throws decode_error naming the missing key
    [[nodiscard]] const value& at(std::string_view key) const;
    /// Replaces the value of `key`, or appends it.
    void set(std::string key, value v);
    /// Appends without looking for an existing key. The caller knows that it is new.
    void append(std::string key, value v);
    /// Removes every member of that key; true when there was one.
    bool erase(std::string_view key);

    [[nodiscard]] std::size_t size() const noexcept;
    [[nodiscard]] bool empty() const noexcept;
    [[nodiscard]] const_iterator begin() const noexcept;
    [[nodiscard]] const_iterator end() const noexcept;

    friend bool operator==(const object&, const object&);

private:
    std::vector<member> members_;
};

/// One JSON value. The `as_…` readers throw `decode_error` naming the expected and the found kind.
///
/// Thread safety: a value type; const members may be called concurrently.
class value {
public:
    value() noexcept = default;
    value(std::nullptr_t) noexcept {}
    template <std::same_as<bool> Bool>  // a pointer must not become a boolean
    value(Bool b) noexcept : data_{b} {}
    template <std::integral I>
        requires(!std::same_as<I, bool>)
    value(I i) : data_{number{std::to_string(i)}} {}
    value(double d);
    value(const char* s) : data_{std::string{s}} {}
    value(std::string_view s) : data_{std::string{s}} {}
    value(std::string s) : data_{std::move(s)} {}
    value(number n) : data_{std::move(n)} {}
    value(array a) : data_{std::move(a)} {}
    value(object o) : data_{std::move(o)} {}

    [[nodiscard]] json::kind kind() const noexcept { return static_cast<json::kind>(data_.index()); }
    [[nodiscard]] bool is_null() const noexcept { return kind() == kind::null; }
    [[nodiscard]] bool is_string() const noexcept { return kind() == kind::string; }
    [[nodiscard]] bool is_object() const noexcept { return kind() == kind::object; }
    [[nodiscard]] bool is_array() const noexcept { return kind() == kind::array; }
    [[nodiscard]] bool is_number() const noexcept { return kind() == kind::number; }
    [[nodiscard]] bool is_bool() const noexcept { return kind() == kind::boolean; }

    [[nodiscard]] bool as_bool() const;
    /// @throws decode_error unless the number is written as an integer (`2`, not `2.0`) and fits
    [[nodiscard]] std::int64_t as_int() const;
    /// The nearest double. As in Python, too large a number is infinite and too small a one is zero.
    [[nodiscard]] double as_double() const;
    [[nodiscard]] const std::string& as_string() const;
    [[nodiscard]] const number& as_number() const;
    [[nodiscard]] const array& as_array() const;
    [[nodiscard]] array& as_array();
    [[nodiscard]] const object& as_object() const;
    [[nodiscard]] object& as_object();

    /// Member of an object. @throws decode_error when this is no object or the key is missing
    [[nodiscard]] const value& at(std::string_view key) const;
    /// Element of an array. @throws decode_error when this is no array or the index is out of range
    [[nodiscard]] const value& at(std::size_t index) const;
    /// Member of an object, or null when this is no object or has no such key.
    [[nodiscard]] const value* find(std::string_view key) const noexcept;
    [[nodiscard]] bool contains(std::string_view key) const noexcept { return find(key) != nullptr; }
    /// The string under `key`, or `fallback` when absent, null or no string.
    [[nodiscard]] std::string string_or(std::string_view key, std::string_view fallback) const;

    friend bool operator==(const value&, const value&);

private:
    std::variant<std::monostate, bool, number, std::string, array, object> data_;
};

// Defined here because they need `value` to be complete.
inline std::size_t object::size() const noexcept { return members_.size(); }
inline bool object::empty() const noexcept { return members_.empty(); }
inline object::const_iterator object::begin() const noexcept { return members_.begin(); }
inline object::const_iterator object::end() const noexcept { return members_.end(); }

/// How a value is written. `compact` and `pretty` keep the text of every number; `python` and `canonical` write floats
/// as Python would after reading them (`1e5` becomes `100000.0`).
enum class style {
    compact,    ///< `{"a":1}`, UTF-8 as is: what Sluice stores and sends
    python,     ///< `{"a": 1}`, non-ASCII escaped: Python's `json.dumps` defaults
    canonical,  ///< compact, keys sorted by code point, non-ASCII escaped: the checksum's input
    pretty      ///< indented by two spaces, UTF-8: for people
};

/// Reads one JSON text: RFC 8259, plus Python's bare `NaN`, `Infinity` and `-Infinity`. Nesting is limited to 200.
/// Invalid UTF-8 and lone surrogates are refused.
/// @throws decode_error with the reason and the byte offset; the text itself is not quoted (it may hold secrets)
[[nodiscard]] value parse(std::string_view text);

[[nodiscard]] std::string dump(const value& v, style s = style::compact);
void dump_to(std::string& out, const value& v, style s = style::compact);

/// Appends a quoted JSON string in UTF-8. Invalid UTF-8 is replaced by U+FFFD.
void append_string(std::string& out, std::string_view text);
/// Appends a double as Python's `repr` writes it: `2.0`, `1e+22`, `5e-324`, `NaN`.
void append_double(std::string& out, double d);

}  // namespace sluice::json
