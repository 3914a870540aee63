#pragma once

#include <sluice/detail/field_tree.hpp>
#include <sluice/detail/field_types.hpp>
#include <sluice/fields.hpp>
#include <sluice/json.hpp>
#include <sluice/reflect.hpp>
#include <sluice/violations.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// Between structs and JSON: events, commands, value objects and the state of aggregates.
///
/// | member | JSON |
/// |---|---|
/// | `bool` | boolean |
/// | integers, `float`, `double` | number (integers are range-checked; NaN and infinities are not valid) |
/// | `std::string`, `identifier`, `text`, `string<N>` | string |
/// | `date_time` | string in ISO 8601 |
/// | `date` | string in ISO 8601, `2026-11-23` |
/// | `decimal<N>` | string with N digits after the point, `19.90`; a number is read, too |
/// | `duration`, whole `std::chrono` durations from microseconds to weeks | string in ISO 8601, `PT1H30M`; a number of
/// seconds is read, too | | `uuid` | string, lower case with dashes | | enum | string, the enumerator's name | |
/// `std::optional<X>` | as X, or null | | `std::vector<X>` | array | | `std::map<K, X>` where K is `std::string` or
/// `identifier` | object | | another struct | object | | `json::value`, `json::object` | as it is |
///
/// A struct may add rules of its own: see violations.hpp. A member that was renamed is read under its former names,
/// too: see aliases.hpp.
///
/// Thread safety: every function may be called concurrently.
namespace sluice::codec {

/// What to do with a key that is no member's name.
enum class unknown_keys {
    refuse,  ///< It is an error: in a command it is most likely a slip.
    ignore   ///< It is skipped: a newer version may have written the event or the state.
};

/// What to do when the key of a member that is not `std::optional` is missing. (One that is keeps its initialiser.)
enum class missing_keys {
    refuse,       ///< It is an error: in a command from outside it is most likely a slip.
    initialised,  ///< It keeps its initialiser, and is an error when it has none: an older version may have written the
                  ///< event, or the command that waits. A list or map without one is empty. An initialiser counts when
                  ///< it makes a difference: `std::string note{}` does not, `std::string note = "none"` and
                  ///< `int pieces = 0` do.
    keep_default  ///< It keeps its initialiser: an older version may have written the state. Rules across members
                  ///< (`check`) may not hold then, and are left to the next commit.
};

namespace detail {

/// Where a value comes from. What was stored before U+0000 was refused stays readable.
enum class text_source { given, stored };

struct key_rules {
    unknown_keys unknown = unknown_keys::refuse;
    missing_keys missing = missing_keys::refuse;

    [[nodiscard]] text_source source() const noexcept {
        return unknown == unknown_keys::ignore ? text_source::stored : text_source::given;
    }
};

// --- all that does not depend on the struct: compiled once, in the library ---

void append_int(std::string& out, std::int64_t number);
void append_uint(std::string& out, std::uint64_t number);
void append_time(std::string& out, const date_time& time);
void append_date(std::string& out, const date& day);
void append_decimal(std::string& out, std::int64_t units, int digits);
/// @param unit  in microseconds
void append_duration(std::string& out, std::int64_t count, std::int64_t unit);
void append_uuid(std::string& out, const uuid& id);
void append_object(std::string& out, const json::object& object);

// Readers report what is wrong, and answer whether they could set or find what was asked for.
[[nodiscard]] bool read_bool(const json::value& from, bool& to, violations& broken);
[[nodiscard]] bool read_int(const json::value& from, std::int64_t min, std::int64_t max, std::int64_t& to,
                            violations& broken);
[[nodiscard]] bool read_uint(const json::value& from, std::uint64_t max, std::uint64_t& to, violations& broken);
[[nodiscard]] bool read_double(const json::value& from, double max, double& to, violations& broken);
[[nodiscard]] bool read_time(const json::value& from, date_time& to, violations& broken);
[[nodiscard]] bool read_date(const json::value& from, date& to, violations& broken);
[[nodiscard]] bool read_decimal(const json::value& from, int digits, std::int64_t& units, violations& broken);
/// @param unit  in microseconds; what is read must be a multiple of it
/// @param min,max  of the count
[[nodiscard]] bool read_duration(const json::value& from, std::int64_t unit, std::int64_t min, std::int64_t max,
                                 std::int64_t& count, violations& broken);
[[nodiscard]] bool read_uuid(const json::value& from, uuid& to, violations& broken);
[[nodiscard]] const std::string* read_string(const json::value& from, violations& broken);
[[nodiscard]] const json::array* read_array(const json::value& from, violations& broken);
[[nodiscard]] const json::object* read_object(const json::value& from, violations& broken);

/// Finds the values of the members of one struct in a JSON object, member by member in their order.
///
/// Thread safety: none. Lifetime: within that of all it was given.
class member_values {
public:
    member_values(const json::object& in, const sluice::detail::field_tree& tree, const key_rules& keys,
                  violations& broken) noexcept;

    /// The value of the next member, or null when it stays as it is.
    [[nodiscard]] const json::value* next();
    /// The key that holds that value: the member's name, or a former one when only that is there.
    [[nodiscard]] std::string_view key() const noexcept { return key_; }
    /// False when a value is missing that must be there.
    [[nodiscard]] bool complete() const noexcept { return complete_; }
    /// Reports the keys that are no member's.
    void refuse_other_keys();

private:
    const json::object& in_;
    const sluice::detail::field_tree& tree_;
    const key_rules& keys_;
    violations& broken_;
    std::size_t number_ = 0;  // of the next member
    std::string_view key_;
    bool complete_ = true;
};

void refuse_enumerator(std::span<const std::string_view> names, violations& broken);

void check_text(std::string_view text, const text_rule& rule, violations& broken,
                text_source from = text_source::given);
void check_key(std::string_view key, const text_rule& rule, violations& broken, text_source from = text_source::given);
void check_double(double number, violations& broken);
void check_time(const date_time& time, violations& broken);
void check_date(const date& day, violations& broken);
void check_duration(std::int64_t count, std::int64_t unit, violations& broken);
void check_uuid(const uuid& id, violations& broken);
void check_json(const json::value& value, violations& broken, text_source from = text_source::given);
void check_json(const json::object& object, violations& broken, text_source from = text_source::given);

/// @throws validation_error unless nothing is broken
void require_none(std::string_view subject, violations& broken);

// --- encode ---

template <class T>
void write(std::string& out, const T& value) {
    if constexpr (std::same_as<T, bool>) {
        out += value ? "true" : "false";
    } else if constexpr (std::signed_integral<T>) {
        append_int(out, value);
    } else if constexpr (std::unsigned_integral<T>) {
        append_uint(out, value);
    } else if constexpr (std::floating_point<T>) {
        json::append_double(out, static_cast<double>(value));
    } else if constexpr (text_type<T>) {
        json::append_string(out, view_of(value));
    } else if constexpr (std::same_as<T, date_time>) {
        append_time(out, value);
    } else if constexpr (std::same_as<T, date>) {
        append_date(out, value);
    } else if constexpr (is_decimal<T>) {
        append_decimal(out, value.units(), T::digits);
    } else if constexpr (is_duration<T>) {
        append_duration(out, value.count(), micros_of_unit<T>);
    } else if constexpr (std::same_as<T, uuid>) {
        append_uuid(out, value);
    } else if constexpr (std::is_enum_v<T>) {
        json::append_string(out, reflect::enum_name(value));
    } else if constexpr (std::same_as<T, json::value>) {
        json::dump_to(out, value);
    } else if constexpr (std::same_as<T, json::object>) {
        append_object(out, value);
    } else if constexpr (is_optional<T>) {
        if (value) {
            write(out, *value);
        } else {
            out += "null";
        }
    } else if constexpr (is_vector<T>) {
        out += '[';
        for (const auto& element : value) {
            if (out.back() != '[') out += ',';
            write<typename T::value_type>(out, element);
        }
        out += ']';
    } else if constexpr (map_type<T>) {
        out += '{';
        for (const auto& [key, mapped] : value) {
            if (out.back() != '{') out += ',';
            json::append_string(out, view_of(key));
            out += ':';
            write(out, mapped);
        }
        out += '}';
    } else {
        out += '{';
        reflect::for_each_field(value, [&out]<class M>(std::string_view name, const M& member) {
            if constexpr (require_field_type<T, M>()) {
                out += out.back() == '{' ? "\"" : ",\"";
                out += name;
                out += "\":";
                write(out, member);
            }
        });
        out += '}';
    }
}

// --- validate ---

template <class T>
void check_own_rules(const T& value, violations& broken) {
    static_assert(!has_unusable_check<T>(),
                  "T has a member `check` that is not the hook for its rules: make it a public "
                  "`void check(sluice::violations&) const`, or give it another name");
    if constexpr (has_check<T>) value.check(broken);
}

template <class T>
void check(const T& value, violations& broken) {
    if constexpr (std::integral<T> || is_decimal<T>) {
        // Every value is valid.
    } else if constexpr (std::floating_point<T>) {
        check_double(static_cast<double>(value), broken);
    } else if constexpr (text_type<T>) {
        check_text(view_of(value), rule_of<T>(), broken);
    } else if constexpr (std::same_as<T, date_time>) {
        check_time(value, broken);
    } else if constexpr (std::same_as<T, date>) {
        check_date(value, broken);
    } else if constexpr (is_duration<T>) {
        check_duration(value.count(), micros_of_unit<T>, broken);
    } else if constexpr (std::same_as<T, uuid>) {
        check_uuid(value, broken);
    } else if constexpr (std::is_enum_v<T>) {
        if (reflect::enum_name(value).empty()) refuse_enumerator(reflect::enum_names<T>(), broken);
    } else if constexpr (free_form<T>) {
        check_json(value, broken);
    } else if constexpr (is_optional<T>) {
        if (value) check(*value, broken);
    } else if constexpr (is_vector<T>) {
        if constexpr (!std::integral<typename T::value_type>) {
            for (std::size_t i = 0; i < value.size(); ++i) {
                const violations::scope in_element{broken, i};
                check(value[i], broken);
            }
        }
    } else if constexpr (map_type<T>) {
        for (const auto& [key, mapped] : value) {
            check_key(view_of(key), rule_of<typename T::key_type>(), broken);
            const violations::scope in_entry{broken, view_of(key)};
            check(mapped, broken);
        }
    } else {
        reflect::for_each_field(value, [&broken]<class M>(std::string_view name, const M& member) {
            if constexpr (require_field_type<T, M>()) {
                const violations::scope in_member{broken, name};
                check(member, broken);
            }
        });
        check_own_rules(value, broken);
    }
}

// --- decode ---

/// Sets a value that has no parts.
template <class T>
[[nodiscard]] bool read_scalar(const json::value& from, T& to, violations& broken) {
    if constexpr (std::same_as<T, bool>) {
        return read_bool(from, to, broken);
    } else if constexpr (std::signed_integral<T>) {
        using limits = std::numeric_limits<T>;
        std::int64_t wide = 0;
        const bool done = read_int(from, limits::min(), limits::max(), wide, broken);
        to = static_cast<T>(wide);
        return done;
    } else if constexpr (std::unsigned_integral<T>) {
        std::uint64_t wide = 0;
        const bool done = read_uint(from, std::numeric_limits<T>::max(), wide, broken);
        to = static_cast<T>(wide);
        return done;
    } else if constexpr (std::floating_point<T>) {
        double wide = 0;
        const bool done = read_double(from, static_cast<double>(std::numeric_limits<T>::max()), wide, broken);
        to = static_cast<T>(wide);
        return done;
    } else if constexpr (text_type<T>) {
        const std::string* const found = read_string(from, broken);
        if (found != nullptr) to = T{*found};
        return found != nullptr;
    } else if constexpr (std::same_as<T, date_time>) {
        return read_time(from, to, broken);
    } else if constexpr (std::same_as<T, date>) {
        return read_date(from, to, broken);
    } else if constexpr (is_decimal<T>) {
        std::int64_t units = 0;
        const bool done = read_decimal(from, T::digits, units, broken);
        to = T::from_units(units);
        return done;
    } else if constexpr (is_duration<T>) {
        using rep = typename T::rep;
        std::int64_t count = 0;
        const bool done = read_duration(from, micros_of_unit<T>, std::numeric_limits<rep>::min(),
                                        std::numeric_limits<rep>::max(), count, broken);
        to = T{static_cast<rep>(count)};
        return done;
    } else if constexpr (std::same_as<T, uuid>) {
        return read_uuid(from, to, broken);
    } else if constexpr (std::is_enum_v<T>) {
        const std::string* const name = read_string(from, broken);
        if (name == nullptr) return false;
        const auto found = reflect::enum_from_name<T>(*name);
        if (!found) refuse_enumerator(reflect::enum_names<T>(), broken);
        to = found.value_or(to);
        return found.has_value();
    } else if constexpr (std::same_as<T, json::value>) {
        to = from;
        return true;
    } else {
        static_assert(std::same_as<T, json::object>);
        const json::object* const found = read_object(from, broken);
        if (found != nullptr) to = *found;
        return found != nullptr;
    }
}

template <class T>
[[nodiscard]] bool read_struct(const json::value& from, T& to, const key_rules& keys, violations& broken);

/// Sets `to` and checks its rules. True when all of it could be read, be it valid or not: a rule that looks at several
/// members must not see one that was never set.
template <class T>
[[nodiscard]] bool read(const json::value& from, T& to, const key_rules& keys, violations& broken) {
    if constexpr (is_optional<T>) {
        if (!from.is_null()) return read(from, to.emplace(), keys, broken);
        to.reset();
        return true;
    } else if constexpr (is_vector<T>) {
        const json::array* const array = read_array(from, broken);
        if (array == nullptr) return false;
        to.clear();
        to.reserve(array->size());
        bool complete = true;
        for (std::size_t i = 0; i < array->size(); ++i) {
            const violations::scope in_element{broken, i};
            typename T::value_type element{};
            if (!read((*array)[i], element, keys, broken)) complete = false;
            to.push_back(std::move(element));
        }
        return complete;
    } else if constexpr (map_type<T>) {
        const json::object* const object = read_object(from, broken);
        if (object == nullptr) return false;
        to.clear();
        bool complete = true;
        for (const auto& [key, mapped] : *object) {
            check_key(key, rule_of<typename T::key_type>(), broken, keys.source());
            const violations::scope in_entry{broken, key};
            typename T::mapped_type element{};
            if (!read(mapped, element, keys, broken)) complete = false;
            to.insert_or_assign(typename T::key_type{key}, std::move(element));
        }
        return complete;
    } else if constexpr (scalar<T>) {
        if (!read_scalar(from, to, broken)) return false;
        if constexpr (text_type<T>) {
            check_text(view_of(to), rule_of<T>(), broken, keys.source());
        } else if constexpr (free_form<T>) {
            check_json(to, broken, keys.source());
        } else {
            check(to, broken);
        }
        return true;
    } else {
        return read_struct(from, to, keys, broken);
    }
}

template <class T>
bool read_struct(const json::value& from, T& to, const key_rules& keys, violations& broken) {
    const json::object* const object = read_object(from, broken);
    if (object == nullptr) return false;
    require_sound_aliases<T>();
    member_values values{*object, sluice::detail::field_tree_of<T>(), keys, broken};
    bool complete = true;
    reflect::for_each_field(to, [&]<class M>(std::string_view, M& member) {
        if constexpr (require_field_type<T, M>()) {
            const json::value* const found = values.next();
            if (found == nullptr) return;
            const violations::scope in_member{broken, values.key()};
            if (!read(*found, member, keys, broken)) complete = false;
        }
    });
    complete = complete && values.complete();
    if (keys.unknown == unknown_keys::refuse) values.refuse_other_keys();
    if (complete && keys.missing != missing_keys::keep_default) check_own_rules(to, broken);
    return complete;
}

}  // namespace detail

/// Appends compact JSON, members in declaration order. The value ought to be valid: what cannot be written as it is
/// (an enumerator without a name, malformed UTF-8) is written as something else.
template <class T>
void encode(std::string& out, const T& value) {
    detail::require_struct<T>();
    detail::write(out, value);
}

template <class T>
[[nodiscard]] std::string encode(const T& value) {
    std::string out;
    encode(out, value);
    return out;
}

/// Sets the members of `to` from a JSON object. When it throws, some may be set already. Those whose keys may be
/// missing are to be as the default constructor leaves them.
/// @throws validation_error naming every field that is missing, unknown, of the wrong kind or breaks its rule
template <class T>
void decode_into(T& to, const json::value& from, unknown_keys unknown = unknown_keys::refuse,
                 missing_keys missing = missing_keys::refuse) {
    detail::require_struct<T>();
    violations broken;
    (void)detail::read(from, to, {unknown, missing}, broken);
    detail::require_none(reflect::short_type_name<T>(), broken);
}

/// Makes a T, which must be default constructible, from a JSON object.
/// @throws validation_error naming every field that is missing, unknown, of the wrong kind or breaks its rule
template <class T>
[[nodiscard]] T decode(const json::value& from, unknown_keys unknown = unknown_keys::refuse,
                       missing_keys missing = missing_keys::refuse) {
    T value{};
    decode_into(value, from, unknown, missing);
    return value;
}

/// Every rule that is broken: first those of the members, then those of `check`. Empty when the value is valid.
template <class T>
[[nodiscard]] std::vector<violation> validate(const T& value) {
    detail::require_struct<T>();
    violations broken;
    detail::check(value, broken);
    return broken.take();
}

/// @throws validation_error naming every field that breaks its rule
template <class T>
void require_valid(const T& value) {
    detail::require_struct<T>();
    violations broken;
    detail::check(value, broken);
    detail::require_none(reflect::short_type_name<T>(), broken);
}

}  // namespace sluice::codec
