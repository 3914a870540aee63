#include "domain/json_schema.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <map>

// Not in an anonymous namespace: the names of the structs are part of the schema.
namespace catalogue {

enum class colour { red, green };

struct Part {
    sluice::identifier part_id;
    std::vector<Part> parts;
};

struct Product {
    sluice::identifier product_id;
    std::optional<sluice::string<60>> title{};
    std::string note;
    bool sold = false;
    std::int8_t floor = 0;
    std::uint64_t pieces = 0;
    double weight = 0;
    sluice::date_time at;
    sluice::date day;
    sluice::decimal<2> price;
    sluice::decimal<0> whole;
    std::chrono::minutes took{};
    sluice::uuid reference;
    colour painted = colour::red;
    std::optional<sluice::json::value> any{};
    sluice::json::object extra;
    std::map<sluice::identifier, std::vector<int>> sizes;
    Part first;
    std::optional<Part> second{};
};

}  // namespace catalogue

namespace {

using sluice::detail::field_tree_of;
using sluice::detail::json_schema;
namespace json = sluice::json;

TEST(json_schema, describes_every_kind_of_member) {
    EXPECT_EQ(json::dump(json_schema(field_tree_of<catalogue::Product>()), json::style::pretty),
              json::dump(json::parse(R"({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "catalogue.Product",
        "type": "object",
        "properties": {
            "product_id": {"type": "string", "minLength": 1, "maxLength": 255},
            "title": {"anyOf": [{"type": "string", "maxLength": 60}, {"type": "null"}]},
            "note": {"type": "string"},
            "sold": {"type": "boolean"},
            "floor": {"type": "integer", "minimum": -128, "maximum": 127},
            "pieces": {"type": "integer", "minimum": 0, "maximum": 18446744073709551615},
            "weight": {"type": "number"},
            "at": {"type": "string", "format": "date-time"},
            "day": {"type": "string", "format": "date"},
            "price": {"type": "string", "pattern": "^-?[0-9]+\\.[0-9]{2}$"},
            "whole": {"type": "string", "pattern": "^-?[0-9]+$"},
            "took": {"type": "string", "format": "duration"},
            "reference": {"type": "string", "format": "uuid"},
            "painted": {"type": "string", "enum": ["red", "green"]},
            "any": {},
            "extra": {"type": "object"},
            "sizes": {
                "type": "object",
                "propertyNames": {"type": "string", "minLength": 1, "maxLength": 255},
                "additionalProperties": {
                    "type": "array",
                    "items": {"type": "integer", "minimum": -2147483648, "maximum": 2147483647}
                }
            },
            "first": {"$ref": "#/$defs/catalogue.Part"},
            "second": {"anyOf": [{"$ref": "#/$defs/catalogue.Part"}, {"type": "null"}]}
        },
        "required": ["product_id", "note", "sold", "floor", "pieces", "weight", "at", "day", "price", "whole", "took",
                     "reference", "painted", "extra", "sizes", "first"],
        "$defs": {
            "catalogue.Part": {
                "type": "object",
                "properties": {
                    "part_id": {"type": "string", "minLength": 1, "maxLength": 255},
                    "parts": {"type": "array", "items": {"$ref": "#/$defs/catalogue.Part"}}
                },
                "required": ["part_id", "parts"]
            }
        }
    })"),
                         json::style::pretty));
}

TEST(json_schema, refers_to_itself_where_a_struct_contains_itself) {
    const json::object schema = json_schema(field_tree_of<catalogue::Part>());
    EXPECT_EQ(json::dump(schema.at("properties").at("parts")), R"({"type":"array","items":{"$ref":"#"}})");
    EXPECT_FALSE(schema.contains("$defs"));
}

}  // namespace
