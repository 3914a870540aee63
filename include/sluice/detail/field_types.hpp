#pragma once

#include <sluice/aliases.hpp>
#include <sluice/date.hpp>
#include <sluice/decimal.hpp>
#include <sluice/duration.hpp>
#include <sluice/fields.hpp>
#include <sluice/json.hpp>
#include <sluice/reflect.hpp>
#include <sluice/uuid.hpp>
#include <sluice/violations.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ratio>
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
inline constexpr bool is_decimal = false;
template <int digits>
inline constexpr bool is_decimal<decimal<digits>> = true;

/// Whole microseconds, milliseconds, seconds, minutes, hours, days or weeks. Not the months and years of the standard
/// library: those are averages, which nobody means.
template <class T>
inline constexpr bool is_duration = false;
template <std::signed_integral rep, class period>
inline constexpr bool is_duration<std::chrono::duration<rep, period>> =
    std::is_same_v<period, std::micro> || std::is_same_v<period, std::milli> || std::is_same_v<period, std::ratio<1>> ||
    std::is_same_v<period, std::ratio<60>> || std::is_same_v<period, std::ratio<3600>> ||
    std::is_same_v<period, std::ratio<86400>> || std::is_same_v<period, std::ratio<604800>>;

/// How many microseconds one unit of a duration has.
template <class T>
inline constexpr std::int64_t micros_of_unit = T::period::num*(1'000'000 / T::period::den);

template <class T>
concept free_form = std::same_as<T, json::value> || std::same_as<T, json::object>;

template <class T>
concept scalar = std::same_as<T, bool> || integer_type<T> || std::same_as<T, float> || std::same_as<T, double> ||
    text_type<T> || std::same_as<T, date_time> || std::same_as<T, date> || is_decimal<T> || is_duration<T> ||
    std::same_as<T, uuid> || std::is_enum_v<T> || free_form<T>;

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
                  "sluice::date_time, sluice::date, sluice::decimal<N>, sluice::uuid, a std::chrono::duration of whole "
                  "microseconds up to weeks, an enum, sluice::json::value, another plain struct, or std::optional, "
                  "std::vector or std::map<std::string, ...> of these");
    return field_type<member>;
}

template <class T>
consteval void require_struct() {
    static_assert(reflect::reflectable<T>,
                  "Sluice cannot read the members of T: make it a plain struct (no base class, no private member, at "
                  "most 40 members), or list the members with BOOST_DESCRIBE_CLASS");
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

struct named_like_hooks {
    int check;
    int aliases;
};
template <class T>
struct with_second_hooks : T, named_like_hooks {};

/// Is there a member of that name, private ones included? (If so, the name means two things in the derived class.)
template <class T>
concept has_member_named_check = !std::is_final_v<T> && !requires {
    &with_second_hooks<T>::check;
};
template <class T>
concept has_member_named_aliases = !std::is_final_v<T> && !requires {
    &with_second_hooks<T>::aliases;
};

template <class T>
constexpr bool is_field(std::string_view name) {
    const auto& names = reflect::field_names<T>();
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// A rule hook that the codec cannot call would be passed over in silence, and its invariant with it.
template <class T>
consteval bool has_unusable_check() {
    if constexpr (!has_check<T> && has_member_named_check<T>) {
        return !is_field<T>("check");
    }
    return false;
}

template <class T>
inline constexpr bool is_alias_list = false;
template <std::size_t count>
inline constexpr bool is_alias_list<std::array<field_alias, count>> = true;

template <class T>
concept has_aliases = requires {
    T::aliases;
}
&&is_alias_list<std::remove_cvref_t<decltype(T::aliases)>>;

/// Aliases that the codec cannot see would be passed over in silence, and what was written under the old name with
/// them.
template <class T>
consteval bool has_unusable_aliases() {
    if constexpr (!has_aliases<T> && has_member_named_aliases<T>) return !is_field<T>("aliases");
    return false;
}

template <has_aliases T>
consteval bool aliases_lead_to_fields() {
    return std::all_of(T::aliases.begin(), T::aliases.end(),
                       [](const field_alias& a) { return is_field<T>(a.new_name); });
}

template <has_aliases T>
consteval bool aliases_begin_at_former_names() {
    return std::none_of(T::aliases.begin(), T::aliases.end(),
                        [](const field_alias& a) { return a.old_name.empty() || is_field<T>(a.old_name); });
}

template <has_aliases T>
consteval bool aliases_are_distinct() {
    for (std::size_t i = 0; i < T::aliases.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (T::aliases[i].old_name == T::aliases[j].old_name) return false;
        }
    }
    return true;
}

template <class T>
consteval void require_sound_aliases() {
    static_assert(!has_unusable_aliases<T>(),
                  "T has a member `aliases` that is no list of former names: make it a public `static constexpr auto "
                  "aliases = sluice::aliases({{\"old\", \"new\"}})`, or give it another name");
    if constexpr (has_aliases<T>) {
        static_assert(aliases_lead_to_fields<T>(), "an alias of T leads to a name that is no member: write {old, new}");
        static_assert(aliases_begin_at_former_names<T>(),
                      "an alias of T begins at a name that is a member, or at none: write {old, new}");
        static_assert(aliases_are_distinct<T>(), "an old name of T leads to two members");
    }
}

}  // namespace detail
}  // namespace sluice::codec
