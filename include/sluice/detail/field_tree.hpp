#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include <sluice/detail/field_types.hpp>
#include <sluice/detail/initialisers.hpp>
#include <sluice/detail/whole.hpp>

/// The members of a class and what each may hold, described once: the text of a layout, the columns of a read model,
/// JSON Schema, the search for forgotten members and the help of error messages are made from it. Users do not need it.
namespace sluice::detail {

enum class value_kind {
    boolean,
    integer,
    unsigned_integer,
    number,
    text,
    identifier,
    time,
    date,
    decimal,
    duration,
    uuid,
    word,         ///< an enumerator
    json,         ///< any JSON, null included
    json_object,  ///< any JSON object
    list,
    map,
    structure
};

struct field_tree;

/// What a member, an element of a list or a value of a map may hold.
///
/// Lifetime: static, and so is all that it refers to.
struct value_type {
    value_kind kind = value_kind::json;
    bool optional = false;                       ///< may be null
    int bits = 0;                                ///< of an integer, its sign included
    int digits = 0;                              ///< after the point, of a decimal
    std::int64_t unit = 0;                       ///< microseconds; a duration is a whole multiple of it
    text_rule length{};                          ///< of a text
    std::span<const std::string_view> words{};   ///< of an enum
    const value_type* key = nullptr;             ///< of a map
    const value_type* element = nullptr;         ///< of a list, and the value of a map
    const field_tree& (*structure)() = nullptr;  ///< the members of a struct, which may contain itself
};

struct field_entry {
    std::string_view name;
    const value_type* type = nullptr;
    bool has_initialiser = false;  ///< what was written without it can be read (see codec::missing_keys::initialised)
};

/// A class whose members the codec reads and writes.
///
/// Thread safety: immutable. Lifetime: static, and so is all that it refers to.
struct field_tree {
    std::string_view name;             ///< `shop::OrderShipped`
    std::vector<field_entry> members;  ///< in their order
    std::span<const field_alias> aliases{};
    /// Where its members lie; null for a plain struct, whose members the compiler knows.
    object_layout (*in_memory)() = nullptr;
};

/// What the lists and maps hold that a value is made of; the value's own type when it is neither.
[[nodiscard]] const value_type& innermost(const value_type& type) noexcept;

[[nodiscard]] std::vector<field_entry> make_members(std::span<const std::string_view> names,
                                                    std::span<const value_type* const> types,
                                                    std::span<const bool> initialised);

template <class T>
[[nodiscard]] const field_tree& field_tree_of();

template <class M>
consteval value_type describe_value();

template <class M>
inline constexpr value_type value_type_of = describe_value<M>();

template <class M>
consteval value_kind kind_of_value() {
    if constexpr (std::same_as<M, bool>) {
        return value_kind::boolean;
    } else if constexpr (std::signed_integral<M>) {
        return value_kind::integer;
    } else if constexpr (std::unsigned_integral<M>) {
        return value_kind::unsigned_integer;
    } else if constexpr (std::floating_point<M>) {
        return value_kind::number;
    } else if constexpr (std::same_as<M, identifier>) {
        return value_kind::identifier;
    } else if constexpr (codec::detail::text_type<M>) {
        return value_kind::text;
    } else if constexpr (std::same_as<M, date_time>) {
        return value_kind::time;
    } else if constexpr (std::same_as<M, date>) {
        return value_kind::date;
    } else if constexpr (codec::detail::is_decimal<M>) {
        return value_kind::decimal;
    } else if constexpr (codec::detail::is_duration<M>) {
        return value_kind::duration;
    } else if constexpr (std::same_as<M, uuid>) {
        return value_kind::uuid;
    } else if constexpr (std::is_enum_v<M>) {
        return value_kind::word;
    } else if constexpr (std::same_as<M, json::value>) {
        return value_kind::json;
    } else if constexpr (std::same_as<M, json::object>) {
        return value_kind::json_object;
    } else if constexpr (codec::detail::is_vector<M>) {
        return value_kind::list;
    } else if constexpr (codec::detail::map_type<M>) {
        return value_kind::map;
    } else {
        return value_kind::structure;
    }
}

template <class M>
consteval value_type describe_value() {
    if constexpr (codec::detail::is_optional<M>) {
        value_type found = value_type_of<typename M::value_type>;
        found.optional = true;
        return found;
    } else {
        constexpr int bits_of_byte = 8;
        value_type found{.kind = kind_of_value<M>()};
        if constexpr (std::integral<M>) found.bits = bits_of_byte * static_cast<int>(sizeof(M));
        if constexpr (codec::detail::text_type<M>) found.length = codec::detail::rule_of<M>();
        if constexpr (codec::detail::is_decimal<M>) found.digits = M::digits;
        if constexpr (codec::detail::is_duration<M>) found.unit = codec::detail::micros_of_unit<M>;
        if constexpr (std::is_enum_v<M>) found.words = reflect::enum_names<M>();
        if constexpr (codec::detail::is_vector<M>) found.element = &value_type_of<typename M::value_type>;
        if constexpr (codec::detail::map_type<M>) {
            found.key = &value_type_of<typename M::key_type>;
            found.element = &value_type_of<typename M::mapped_type>;
        }
        if constexpr (kind_of_value<M>() == value_kind::structure) found.structure = &field_tree_of<M>;
        return found;
    }
}

template <class T, class M>
consteval const value_type* type_of_member() {
    if constexpr (codec::detail::require_field_type<T, M>()) {
        return &value_type_of<M>;
    } else {
        return nullptr;
    }
}

template <class T, class... M>
consteval std::array<const value_type*, sizeof...(M)> types_of_members(reflect::type_list<M...> /*members*/) {
    return {type_of_member<T, M>()...};
}

template <class T>
const field_tree& field_tree_of() {
    static const field_tree tree = [] {
        static constexpr auto types = types_of_members<T>(reflect::field_types<T>{});
        field_tree made{
            .name = reflect::type_name<T>(),
            .members = make_members(reflect::field_names<T>(), types, codec::detail::initialised_members<T>())};
        if constexpr (codec::detail::has_aliases<T>) made.aliases = T::aliases;
        if constexpr (reflect::detail::described<T>) made.in_memory = &layout_in_memory<T>;
        return made;
    }();
    return tree;
}

}  // namespace sluice::detail
