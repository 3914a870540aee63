#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sluice/codec.hpp>

/// How what was written earlier, maybe by an older build, is read; and what it is expected to hold.
namespace sluice::detail {

/// An event of the log or of a broker.
/// @throws validation_error naming every offending field
template <class Event>
[[nodiscard]] Event read_event(const json::value& data) {
    return codec::decode<Event>(data, codec::unknown_keys::ignore, codec::missing_keys::initialised);
}

/// One member of an event or a command, for people and tools.
struct field_schema {
    std::string name;
    std::string kind;              ///< `text`, `list of text`, `struct`, …: that of the table in codec.hpp
    bool required = true;          ///< not `std::optional`
    bool has_initialiser = false;  ///< what was written without it can be read (see codec::missing_keys::initialised)
    std::size_t max_length = 0;    ///< characters; 0: no limit
    std::optional<int> digits{};   ///< after the point, of a decimal
    std::vector<std::string> words{};    ///< of an enum
    std::vector<field_schema> fields{};  ///< of a struct; empty where it contains itself
};

template <class T>
[[nodiscard]] std::vector<field_schema> schema_of(std::vector<std::string_view> path = {});

template <class M>
void describe_kind(field_schema& field, const std::vector<std::string_view>& path) {
    if constexpr (codec::detail::is_optional<M>) {
        describe_kind<typename M::value_type>(field, path);
    } else if constexpr (codec::detail::is_vector<M>) {
        describe_kind<typename M::value_type>(field, path);
        field.kind = "list of " + field.kind;
    } else if constexpr (codec::detail::map_type<M>) {
        describe_kind<typename M::mapped_type>(field, path);
        field.kind = "map of " + field.kind;
    } else if constexpr (std::same_as<M, bool>) {
        field.kind = "boolean";
    } else if constexpr (std::integral<M>) {
        field.kind = "integer";
    } else if constexpr (std::floating_point<M>) {
        field.kind = "number";
    } else if constexpr (codec::detail::text_type<M>) {
        constexpr text_rule rule = codec::detail::rule_of<M>();
        field.kind = std::same_as<M, identifier> ? "identifier" : "text";
        if (rule.max_length != text_rule{}.max_length) field.max_length = rule.max_length;
    } else if constexpr (std::same_as<M, date_time>) {
        field.kind = "time";
    } else if constexpr (std::same_as<M, date>) {
        field.kind = "date";
    } else if constexpr (codec::detail::is_decimal<M>) {
        field.kind = "decimal";
        field.digits = M::digits;
    } else if constexpr (codec::detail::is_duration<M>) {
        field.kind = "duration";
    } else if constexpr (std::same_as<M, uuid>) {
        field.kind = "uuid";
    } else if constexpr (std::is_enum_v<M>) {
        field.kind = "enum";
        for (const std::string_view word : reflect::enum_names<M>()) field.words.emplace_back(word);
    } else if constexpr (codec::detail::free_form<M>) {
        field.kind = "json";
    } else {
        field.kind = "struct";
        field.fields = schema_of<M>(path);
    }
}

/// The members in their order.
/// @param path  the structs that are being described: one may contain itself
template <class T>
std::vector<field_schema> schema_of(std::vector<std::string_view> path) {
    std::vector<field_schema> fields;
    constexpr std::string_view name = reflect::type_name<T>();
    for (const std::string_view outer : path) {
        if (outer == name) return fields;
    }
    path.push_back(name);
    const auto& initialised = codec::detail::initialised_members<T>();
    const T object{};
    reflect::for_each_field(object, [&]<class M>(std::string_view member, const M&) {
        field_schema field{.name = std::string{member},
                           .kind = {},
                           .required = !codec::detail::is_optional<M>,
                           .has_initialiser = initialised[fields.size()]};
        describe_kind<M>(field, path);
        fields.push_back(std::move(field));
    });
    return fields;
}

}  // namespace sluice::detail
