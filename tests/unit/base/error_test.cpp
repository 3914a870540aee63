#include <sluice/error.hpp>

#include <gtest/gtest.h>

namespace {

using namespace sluice;

TEST(error, what_a_caller_may_conclude_is_a_property) {
    EXPECT_FALSE(error{"broken"}.retryable());
    EXPECT_FALSE(error{"broken"}.in_doubt());
    EXPECT_TRUE((store_error{"busy", error_nature::retryable}.retryable()));
    EXPECT_TRUE((store_error{"connection lost in commit", error_nature::in_doubt}.in_doubt()));
    EXPECT_FALSE((store_error{"connection lost in commit", error_nature::in_doubt}.retryable()));
    EXPECT_TRUE(expected_version_error{"changed"}.retryable());
}

TEST(error, every_class_has_a_code_of_its_own) {
    const auto code = [](const error& e) { return std::string{e.code()}; };
    EXPECT_EQ(code(error{""}), "error");
    EXPECT_EQ(code(validation_error{"x", {}}), "validation_error");
    EXPECT_EQ(code(expected_version_error{""}), "expected_version_error");
    EXPECT_EQ(code(not_found_error{""}), "not_found");
    EXPECT_EQ(code(configuration_error{""}), "configuration_error");
    EXPECT_EQ(code(usage_error{""}), "usage_error");
    EXPECT_EQ(code(decode_error{""}), "decode_error");
    EXPECT_EQ(code(store_error{""}), "store_error");
    EXPECT_EQ(code(broker_error{""}), "broker_error");
}

TEST(validation_error, names_every_offender) {
    const validation_error e{"ShipOrder", {{"order_id", "is required"}, {"lines[2].quantity", "must be positive"}}};
    EXPECT_STREQ(e.what(), "ShipOrder is not valid: order_id: is required; lines[2].quantity: must be positive");
    EXPECT_EQ(e.violations().size(), 2U);
    EXPECT_EQ(e.violations().front(), (violation{"order_id", "is required"}));
}

}  // namespace
