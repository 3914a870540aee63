#include "cli/terminal/failure.hpp"

#include <gtest/gtest.h>

#include "operate/request_error.hpp"

namespace sluice::cli {
namespace {

TEST(judge, each_kind_of_error_has_its_exit_code) {
    EXPECT_EQ(judge(configuration_error{"x"}).how, exit_code::configuration);
    EXPECT_EQ(judge(store_error{"x"}).how, exit_code::unavailable);
    EXPECT_EQ(judge(broker_error{"x"}).how, exit_code::unavailable);
    EXPECT_EQ(judge(not_found_error{"x"}).how, exit_code::failed);
    EXPECT_EQ(judge(validation_error{"x", {{"a", "b"}}}).how, exit_code::failed);
    EXPECT_EQ(judge(wrong_usage("x")).how, exit_code::usage);
}

TEST(judge, a_request_error_tells_whether_the_request_was_wrong) {
    EXPECT_EQ(judge(operate::wrong_request("x")).how, exit_code::usage);
    EXPECT_EQ(judge(operate::wrong_request("x")).code, "usage_error");
    EXPECT_EQ(judge(operate::not_found("x")).how, exit_code::failed);
    EXPECT_EQ(judge(operate::not_found("x")).code, "not_found");
    EXPECT_EQ(judge(operate::conflict("still_configured", "x")).how, exit_code::failed);
    EXPECT_EQ(judge(operate::conflict("still_configured", "x")).code, "still_configured");
}

TEST(judge, keeps_the_word_and_the_text_of_the_error) {
    const verdict_on_error verdict = judge(validation_error{"ShipOrder", {{"order_id", "is required"}}});
    EXPECT_EQ(verdict.code, "validation_error");
    EXPECT_EQ(verdict.message, "ShipOrder is not valid: order_id: is required");
}

TEST(judge, a_foreign_exception_is_a_defect_unless_the_domain_ran) {
    const std::runtime_error foreign{"out of cheese"};
    EXPECT_EQ(judge(foreign).how, exit_code::internal);
    EXPECT_EQ(judge(foreign).code, "internal_error");
    EXPECT_EQ(judge(foreign, exit_code::failed).how, exit_code::failed);
    EXPECT_EQ(judge(foreign, exit_code::failed).code, "handler_failed");
}

}  // namespace
}  // namespace sluice::cli
