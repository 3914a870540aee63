#include "command/remembered_failure.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using sluice::command::encode_failure;
using sluice::command::is_answer;
using sluice::command::throw_failure;

class sold_out : public sluice::error {
public:
    using error::error;
    [[nodiscard]] const char* code() const noexcept override { return "sold_out"; }
};

template <class Error>
void expect_again(const Error& failure) {
    try {
        throw_failure(encode_failure(failure));
        FAIL();
    } catch (const Error& again) {
        EXPECT_STREQ(again.what(), failure.what());
        EXPECT_STREQ(again.code(), failure.code());
        EXPECT_FALSE(again.retryable());
    }
}

TEST(remembered_failure, comes_again_as_the_class_that_it_was) {
    expect_again(sluice::not_found_error{"there is no Show `s-1`"});
    expect_again(sluice::usage_error{"no \"quotes\""});
    expect_again(sluice::decode_error{"?"});
    expect_again(sluice::error{"plain"});
    const sluice::validation_error invalid{"SellSeats", {{"seats", "too many"}, {"", "odd"}}};
    expect_again(invalid);
    try {
        throw_failure(encode_failure(invalid));
    } catch (const sluice::validation_error& again) {
        EXPECT_EQ(again.subject(), "SellSeats");
        EXPECT_EQ(again.violations(), invalid.violations());
    }
}

TEST(remembered_failure, keeps_code_and_text_of_a_class_of_the_domain) {
    try {
        throw_failure(encode_failure(sold_out{"all gone"}));
        FAIL();
    } catch (const sluice::error& again) {
        EXPECT_STREQ(again.code(), "sold_out");
        EXPECT_STREQ(again.what(), "all gone");
    }
}

TEST(remembered_failure, is_only_what_answers_the_command) {
    EXPECT_TRUE(is_answer(sold_out{"all gone"}));
    EXPECT_TRUE(is_answer(sluice::validation_error{"SellSeats", {{"seats", "too many"}}}));
    EXPECT_FALSE(is_answer(sluice::expected_version_error{"conflict"}));
    EXPECT_FALSE(is_answer(sluice::error{"lost", sluice::error_nature::in_doubt}));
    EXPECT_FALSE(is_answer(sluice::store_error{"disk full"})) << "the surroundings";
    EXPECT_FALSE(is_answer(sluice::configuration_error{"no such database"}));
    EXPECT_FALSE(is_answer(sluice::deadline_error{"late"}));
}

TEST(remembered_failure, that_cannot_be_read_says_so) {
    EXPECT_THROW(throw_failure("{}"), sluice::decode_error);
    EXPECT_THROW(throw_failure("nonsense"), sluice::decode_error);
}

}  // namespace
