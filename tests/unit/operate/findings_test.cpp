#include "operate/findings.hpp"

#include <gtest/gtest.h>

#include "support/depot_domain.hpp"

namespace sluice::operate {
namespace {

TEST(counts_of, counts_each_kind_of_declaration) {
    const sluice::domain depot = depot::make_domain();
    const declaration_counts counts = counts_of(depot.declared());
    EXPECT_EQ(counts.aggregates, 2U);
    EXPECT_EQ(counts.events, 5U);
    EXPECT_EQ(counts.published, 0U);
    EXPECT_EQ(counts.commands, 2U);
    EXPECT_EQ(counts.read_models, 2U);
    EXPECT_EQ(counts.processes, 0U);
}

TEST(check_report_to_json, counts_errors_and_warnings) {
    const check_report report{
        .domain = "depot",
        .configuration = "domain.toml",
        .findings = {{.level = config::severity::error, .code = "A", .element = "e", .message = "m", .remedy = "r"},
                     {.code = "B", .element = {}, .message = {}, .remedy = {}},
                     {.code = "C", .element = {}, .message = {}, .remedy = {}}}};
    const json::value shown = to_json(report);
    EXPECT_EQ(shown.at("errors").as_int(), 1);
    EXPECT_EQ(shown.at("warnings").as_int(), 2);
    EXPECT_TRUE(shown.at("built_in_database").is_null());
    EXPECT_EQ(json::dump(shown.at("findings").at(0)),
              R"({"level":"error","code":"A","element":"e","message":"m","remedy":"r"})");
}

}  // namespace
}  // namespace sluice::operate
