#include "domain/json_schema.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "base/names.hpp"

namespace sluice::detail {

namespace {

void set_bounds(json::object& schema, const value_type& integer) {
    using limits = std::numeric_limits<std::int64_t>;
    const int cut = limits::digits + 1 - integer.bits;
    schema.set("minimum", limits::min() >> cut);
    schema.set("maximum", limits::max() >> cut);
}

void set_unsigned_bounds(json::object& schema, const value_type& integer) {
    using limits = std::numeric_limits<std::uint64_t>;
    schema.set("minimum", 0);
    schema.set("maximum", limits::max() >> (limits::digits - integer.bits));
}

void set_length(json::object& schema, const text_rule& rule) {
    if (rule.min_length != text_rule{}.min_length) schema.set("minLength", rule.min_length);
    if (rule.max_length != text_rule{}.max_length) schema.set("maxLength", rule.max_length);
}

std::string pattern_of_decimal(int digits) {
    const std::string after = digits == 0 ? "" : "\\.[0-9]{" + std::to_string(digits) + "}";
    return "^-?[0-9]+" + after + "$";
}

/// Writes one schema and gathers the definitions that it refers to.
class schema_writer {
public:
    explicit schema_writer(const field_tree& root) : root_{root} {}

    [[nodiscard]] json::object members_of(const field_tree& tree) {
        json::object properties;
        json::array required;
        for (const auto& [name, type, has_initialiser] : tree.members) {
            properties.append(std::string{name}, schema_of(*type));
            if (!type->optional) required.emplace_back(name);
        }
        return {{"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}};
    }

    [[nodiscard]] json::object take_definitions() noexcept { return std::move(definitions_); }

private:
    [[nodiscard]] json::object schema_of(const value_type& type) {
        json::object schema = schema_of_present(type);
        if (!type.optional || schema.empty()) return schema;
        return {{"anyOf", json::array{std::move(schema), json::object{{"type", "null"}}}}};
    }

    [[nodiscard]] json::object schema_of_present(const value_type& type) {
        if (type.kind == value_kind::json) return {};
        if (type.kind == value_kind::structure) return reference_to(type.structure());
        json::object schema{{"type", json_type_of(type.kind)}};
        if (type.kind == value_kind::integer) set_bounds(schema, type);
        if (type.kind == value_kind::unsigned_integer) set_unsigned_bounds(schema, type);
        if (type.kind == value_kind::decimal) schema.set("pattern", pattern_of_decimal(type.digits));
        if (const char* format = format_of(type.kind)) schema.set("format", format);
        if (!type.words.empty()) schema.set("enum", json::array(type.words.begin(), type.words.end()));
        set_length(schema, type.length);
        if (type.kind == value_kind::list) schema.set("items", schema_of(*type.element));
        if (type.kind == value_kind::map) {
            schema.set("propertyNames", schema_of(*type.key));
            schema.set("additionalProperties", schema_of(*type.element));
        }
        return schema;
    }

    [[nodiscard]] json::object reference_to(const field_tree& tree) {
        if (&tree == &root_) return {{"$ref", "#"}};
        const std::string name = base::dotted(tree.name);
        if (!definitions_.contains(name)) {
            definitions_.append(name, nullptr);  // it may contain itself
            definitions_.set(name, members_of(tree));
        }
        return {{"$ref", "#/$defs/" + name}};
    }

    [[nodiscard]] static const char* json_type_of(value_kind kind) {
        switch (kind) {
            case value_kind::boolean:
                return "boolean";
            case value_kind::integer:
            case value_kind::unsigned_integer:
                return "integer";
            case value_kind::number:
                return "number";
            case value_kind::list:
                return "array";
            case value_kind::map:
            case value_kind::json_object:
                return "object";
            default:
                return "string";
        }
    }

    [[nodiscard]] static const char* format_of(value_kind kind) {
        switch (kind) {
            case value_kind::time:
                return "date-time";
            case value_kind::date:
                return "date";
            case value_kind::duration:
                return "duration";
            case value_kind::uuid:
                return "uuid";
            default:
                return nullptr;
        }
    }

    const field_tree& root_;
    json::object definitions_;
};

}  // namespace

json::object json_schema(const field_tree& tree) {
    schema_writer writer{tree};
    json::object schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                        {"title", base::dotted(tree.name)}};
    for (const auto& [key, part] : writer.members_of(tree)) schema.append(key, part);
    if (json::object definitions = writer.take_definitions(); !definitions.empty()) {
        schema.append("$defs", std::move(definitions));
    }
    return schema;
}

}  // namespace sluice::detail
