#include "console/command_form.hpp"

#include <gtest/gtest.h>

#include "operate/request_error.hpp"

namespace sluice::console {
namespace {

operate::declared_command ship() {
    return {.name = "Ship",
            .type = {},
            .handler = {},
            .aggregate = {},
            .fields = {{.name = "order_id", .kind = "identifier"},
                       {.name = "pieces", .kind = "integer"},
                       {.name = "gift", .kind = "boolean", .required = false},
                       {.name = "note", .kind = "text", .required = false},
                       {.name = "lines", .kind = "list of struct"}}};
}

TEST(console_command_data, each_field_becomes_the_json_of_its_kind) {
    const auto given = form_values::read(
        "field.order_id=o-1&field.pieces=3&field.gift=true&field.note=&field.lines=%5B%7B%22a%22%3A1%7D%5D&csrf=x");
    EXPECT_EQ(json::dump(command_data(ship(), *given)),
              R"({"order_id":"o-1","pieces":3,"gift":true,"lines":[{"a":1}]})");
}

TEST(console_command_data, a_text_that_looks_like_json_stays_a_text) {
    const auto given = form_values::read("field.order_id=12");
    EXPECT_EQ(json::dump(command_data(ship(), *given)), R"({"order_id":"12"})");
}

TEST(console_command_data, names_the_field_that_is_not_of_its_kind) {
    const auto given = form_values::read("field.order_id=o-1&field.pieces=many");
    try {
        static_cast<void>(command_data(ship(), *given));
        FAIL();
    } catch (const operate::request_error& e) {
        EXPECT_EQ(std::string{e.what()}.find("pieces is no number"), 0U) << e.what();
    }
}

}  // namespace
}  // namespace sluice::console
