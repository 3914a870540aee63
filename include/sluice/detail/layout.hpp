#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/detail/field_types.hpp>

/// Which members a struct has and of what kind, as a text: two builds that write it alike read each other's JSON alike.
namespace sluice::detail {

/// The types that are being described, outermost first: a struct may contain itself.
using layout_path = std::vector<std::string_view>;

template <class T>
void write_layout(std::string& out, layout_path& path);

template <class T>
[[nodiscard]] consteval std::string_view scalar_kind() {
    if constexpr (std::same_as<T, bool>) {
        return "bool";
    } else if constexpr (std::signed_integral<T>) {
        return "int";
    } else if constexpr (std::unsigned_integral<T>) {
        return "uint";
    } else if constexpr (std::floating_point<T>) {
        return "number";
    } else if constexpr (codec::detail::text_type<T>) {
        return "text";
    } else if constexpr (std::same_as<T, date_time>) {
        return "time";
    } else if constexpr (std::same_as<T, date>) {
        return "date";
    } else if constexpr (codec::detail::is_decimal<T>) {
        return "decimal";
    } else if constexpr (codec::detail::is_duration<T>) {
        return "duration";
    } else if constexpr (std::same_as<T, uuid>) {
        return "uuid";
    } else if constexpr (std::is_enum_v<T>) {
        return "enum";
    } else {
        return "json";
    }
}

template <class T>
void write_struct_layout(std::string& out, layout_path& path) {
    constexpr std::string_view name = reflect::type_name<T>();
    if (std::find(path.begin(), path.end(), name) != path.end()) {
        out += name;
        return;
    }
    path.push_back(name);
    out += '{';
    // Only the types of the members are looked at, but visiting them takes an object.
    const T object{};
    reflect::for_each_field(object, [&]<class M>(std::string_view member, const M&) {
        out += member;
        out += ':';
        write_layout<M>(out, path);
        out += ';';
    });
    out += '}';
    path.pop_back();
}

template <class T>
void write_layout(std::string& out, layout_path& path) {
    if constexpr (codec::detail::is_optional<T>) {
        out += '?';
        write_layout<typename T::value_type>(out, path);
    } else if constexpr (codec::detail::is_vector<T>) {
        out += "[]";
        write_layout<typename T::value_type>(out, path);
    } else if constexpr (codec::detail::map_type<T>) {
        out += "<>";
        write_layout<typename T::mapped_type>(out, path);
    } else if constexpr (codec::detail::scalar<T>) {
        out += scalar_kind<T>();
        // What has more digits, or is no multiple of the unit, cannot be read.
        if constexpr (codec::detail::is_decimal<T>) out += std::to_string(T::digits);
        if constexpr (codec::detail::is_duration<T>) out += std::to_string(codec::detail::micros_of_unit<T>);
    } else {
        write_struct_layout<T>(out, path);
    }
}

template <class T>
[[nodiscard]] std::string layout_of() {
    std::string out;
    layout_path path;
    write_layout<T>(out, path);
    return out;
}

}  // namespace sluice::detail
