#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/date.hpp>
#include <sluice/time.hpp>

namespace sluice::store::postgresql {

/// Numbers of PostgreSQL's own types; they never change.
using type_number = unsigned int;
namespace type {
inline constexpr type_number boolean = 16;
inline constexpr type_number bytea = 17;
inline constexpr type_number int8 = 20;
inline constexpr type_number int4 = 23;
inline constexpr type_number text = 25;
inline constexpr type_number float8 = 701;
inline constexpr type_number date = 1082;
inline constexpr type_number timestamptz = 1184;
inline constexpr type_number numeric = 1700;
inline constexpr type_number int4_array = 1007;
inline constexpr type_number text_array = 1009;
inline constexpr type_number int8_array = 1016;
inline constexpr type_number timestamptz_array = 1185;
}  // namespace type

/// Microseconds between 1970 and 2000, where PostgreSQL's time begins.
inline constexpr std::int64_t postgresql_epoch = 946'684'800'000'000;
/// Days between the two.
inline constexpr std::int32_t postgresql_epoch_day = 10'957;

/// One column of values, handed over as an array. T is std::string_view, std::int32_t, std::int64_t or date_time.
template <class T>
class array {
public:
    void push(const T& value);
    void push(const std::optional<T>& value);

private:
    friend class parameters;
    std::string elements_;
    std::int32_t count_ = 0;
    bool has_null_ = false;
};

[[nodiscard]] array<std::string_view> array_of(std::span<const std::string> texts);
[[nodiscard]] array<std::int32_t> array_of(std::span<const std::int32_t> numbers);

/// The values for `$1`, `$2`, … of a statement in PostgreSQL's binary format, in which a time has no zone to get wrong
/// and a text needs no quoting. They are copied.
class parameters {
public:
    template <class... Values>
    explicit parameters(const Values&... values) {
        reserve(sizeof...(values), (std::size_t{0} + ... + size_of(values)));
        (add(values), ...);
    }

    /// Makes room for so many more values, and so many bytes of them.
    void reserve(std::size_t values, std::size_t bytes);

    void add(std::string_view value);
    void add(const char* value) { add(std::string_view{value}); }
    void add(const std::string& value) { add(std::string_view{value}); }
    void add_bytes(std::string_view value);
    void add(bool value);
    void add(std::int32_t value);
    void add(std::int64_t value);
    void add(std::uint64_t value) { add(static_cast<std::int64_t>(value)); }
    void add(double value);
    void add(date_time value);
    void add(date value);
    /// @param value  the text of a decimal number
    void add_numeric(std::string_view value);
    void add(const std::optional<date_time>& value);
    void add(const std::optional<std::string>& value);
    void add(const std::optional<std::int64_t>& value);
    template <class T>
    void add(const array<T>& values);

    [[nodiscard]] int count() const noexcept { return static_cast<int>(types_.size()); }
    [[nodiscard]] const type_number* types() const noexcept { return types_.data(); }
    [[nodiscard]] const int* lengths() const noexcept { return lengths_.data(); }
    [[nodiscard]] const int* formats() const noexcept { return formats_.data(); }
    /// Valid until the next change.
    [[nodiscard]] std::vector<const char*> values() const;

private:
    template <class Value>
    [[nodiscard]] static std::size_t size_of(const Value& value) noexcept {
        if constexpr (std::convertible_to<Value, std::string_view>) {
            return std::string_view{value}.size();
        } else {
            return sizeof(std::int64_t);
        }
    }

    template <class Value>
    void add_scalar(type_number what, Value value);
    void add_null(type_number what);
    void begin(type_number what);
    void end(std::size_t from);

    std::string bytes_;
    std::vector<type_number> types_;
    std::vector<std::optional<std::size_t>> offsets_;  ///< none for NULL
    std::vector<int> lengths_;
    std::vector<int> formats_;
};

}  // namespace sluice::store::postgresql
