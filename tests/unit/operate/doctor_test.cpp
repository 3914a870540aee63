#include "operate/doctor.hpp"

#include <gtest/gtest.h>

namespace sluice::operate {
namespace {

config::finding found(config::severity level, const std::string& code) {
    return {.level = level, .code = code, .element = "e", .message = "m", .remedy = "r"};
}

doctor_report report(std::vector<config::finding> findings) {
    doctor_report made;
    made.findings = std::move(findings);
    return made;
}

TEST(doctor_report, the_worst_that_was_found_decides) {
    using config::severity;
    const auto warning = found(severity::warning, "DEAD_LETTERS");
    const auto error = found(severity::error, "LANE_WITHOUT_OWNER");
    EXPECT_EQ(report({}).result(), diagnosis::healthy);
    EXPECT_EQ(report({warning}).result(), diagnosis::warnings);
    EXPECT_EQ(report({warning, error}).result(), diagnosis::failing);
    EXPECT_EQ(report({error, found(severity::error, "SCHEMA_MISSING")}).result(), diagnosis::unavailable);
    EXPECT_EQ(report({error, found(severity::error, "DATABASE_UNAVAILABLE")}).result(), diagnosis::unavailable);
    EXPECT_EQ(report({found(severity::warning, "DATABASE_UNAVAILABLE")}).result(), diagnosis::warnings);
    auto wrong = report({error});
    wrong.is_misconfigured = true;
    EXPECT_EQ(wrong.result(), diagnosis::misconfigured);
}

TEST(doctor_report_to_json, has_the_result_the_numbers_and_the_findings) {
    auto made = report({found(config::severity::error, "A"), found(config::severity::warning, "B")});
    made.looked_at.databases = 1;
    made.looked_at.engines = 2;
    EXPECT_EQ(json::dump(to_json(made)),
              R"({"result":"failing","errors":1,"warnings":1,"looked_at":{"domain":null,"databases":1,"brokers":0,)"
              R"("lanes":0,"engines":2,"groups":0,"files":0},"findings":[)"
              R"({"level":"error","code":"A","element":"e","message":"m","remedy":"r"},)"
              R"({"level":"warning","code":"B","element":"e","message":"m","remedy":"r"}]})");
}

}  // namespace
}  // namespace sluice::operate
