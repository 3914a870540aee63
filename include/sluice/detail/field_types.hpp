#pragma once

#include <sluice/fields.hpp>
#include <sluice/json.hpp>
#include <sluice/reflect.hpp>
#include <sluice/violations.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// Which types a member may have, and what the codec must know about each.
namespace sluice::codec {
namespace detail {

template <class T>
inline constexpr bool is_optional = false;
template <class X>
inline constexpr bool is_optional<std::optional<X>> = true;

template <class T>
inline constexpr bool is_vector = false;
template <class X, class A>
inline constexpr bool is_vector<std::vector<X, A>> = true;

template <class T>
concept string_field = std::derived_from<T, sluice::detail::string_field>;

template <class T>
concept text_type = std::same_as<T, std::string> || string_field<T>;

/// `std::map`, recognised without its header. An unordered map would not encode to the same text twice.
template <class T>
concept map_type = requires(T& map, typename T::key_type key, typename T::mapped_type mapped) {
    typename T::key_compare;
    map.insert_or_assign(std::move(key), std::move(mapped));
};

/// No character types: a `char` is neither clearly a number nor a text.
template <class T>
concept integer_type =
    std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
    !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

template <class T>
concept free_form = std::same_as<T, json::value> || std::same_as<T, json::object>;

template <class T>
concept scalar = std::same_as<T, bool> || integer_type<T> || std::same_as<T, float> || std::same_as<T, double> ||
    text_type<T> || std::same_as<T, date_time> || std::is_enum_v<T> || free_form<T>;

/// Stops at nested structs: their members are looked at when they are visited, so a struct may contain itself.
template <class T>
consteval bool is_field_type() {
    if constexpr (is_optional<T>) {
        return !is_optional<typename T::value_type> && is_field_type<typename T::value_type>();
    } else if constexpr (is_vector<T>) {
        return is_field_type<typename T::value_type>();
    } else if constexpr (map_type<T>) {
        return text_type<typename T::key_type> && is_field_type<typename T::mapped_type>();
    } else {
        return scalar<T> || reflect::reflectable<T>;
    }
}

}  // namespace detail

/// A type that a member of an event, command, value object or aggregate may have: see the table in codec.hpp.
template <class T>
concept field_type = detail::is_field_type<T>();

namespace detail {

template <class owner, class member>
[[nodiscard]] consteval bool require_field_type() {
    static_assert(field_type<member>,
                  "Sluice cannot store a member of this type: `owner` is the struct, `member` the type. Use bool, an "
                  "integer, float, double, std::string, sluice::identifier, sluice::text, sluice::string<N>, "
                  "sluice::date_time, an enum, sluice::json::value, another plain struct, or std::optional, "
                  "std::vector or std::map<std::string, ...> of these");
    return field_type<member>;
}

template <class T>
consteval void require_struct() {
    static_assert(reflect::reflectable<T>,
                  "Sluice cannot read the members of T: make it a plain struct (no base class, no private member, at "
                  "most 40 members), or list the members with BOOST_DESCRIBE_CLASS");
}

/// What a JSON null says about a member.
enum class null_means {
    missing,  ///< Nothing is there, though it must be.
    empty,    ///< The member is optional.
    null      ///< The member holds any JSON, null included.
};

template <class T>
consteval null_means null_in() {
    if (is_optional<T>) return null_means::empty;
    return std::same_as<T, json::value> ? null_means::null : null_means::missing;
}

template <text_type T>
consteval text_rule rule_of() {
    if constexpr (string_field<T>) {
        return T::rule;
    } else {
        return text::rule;
    }
}

inline std::string_view view_of(const std::string& value) { return value; }
inline std::string_view view_of(const sluice::detail::string_field& value) { return value.view(); }

template <class T>
concept has_check = requires(const T& object, violations& broken) {
    object.check(broken);
};

struct named_check {
    int check;
};
template <class T>
struct with_second_check : T, named_check {};

/// Is there a member of that name, private ones included? (If so, the name means two things in the derived class.)
template <class T>
concept has_member_named_check = !std::is_final_v<T> && !requires {
    &with_second_check<T>::check;
};

/// A rule hook that the codec cannot call would be passed over in silence, and its invariant with it.
template <class T>
consteval bool has_unusable_check() {
    if constexpr (!has_check<T> && has_member_named_check<T>) {
        for (const std::string_view name : reflect::field_names<T>()) {
            if (name == "check") return false;
        }
        return true;
    }
    return false;
}

}  // namespace detail
}  // namespace sluice::codec
