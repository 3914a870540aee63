#include "console/login_limit.hpp"

#include <gtest/gtest.h>

namespace sluice::console {
namespace {

constexpr instant begin{};

TEST(console_login_limit, a_name_from_one_address_has_five_attempts_in_a_period) {
    login_limit limit;
    for (int i = 0; i < login_limit::most_of_a_name; ++i) {
        ASSERT_TRUE(limit.may_try("10.0.0.1", "anna", begin)) << i;
        limit.failed("10.0.0.1", "anna", begin);
    }
    EXPECT_FALSE(limit.may_try("10.0.0.1", "anna", begin));
    EXPECT_TRUE(limit.may_try("10.0.0.2", "anna", begin)) << "nobody locks her out from elsewhere";
    EXPECT_TRUE(limit.may_try("10.0.0.1", "ben", begin));
    EXPECT_FALSE(limit.may_try("10.0.0.1", "anna", begin + login_limit::period - duration{1}));
    EXPECT_TRUE(limit.may_try("10.0.0.1", "anna", begin + login_limit::period));
}

TEST(console_login_limit, an_address_cannot_go_through_many_names) {
    login_limit limit;
    for (int i = 0; i < login_limit::most_of_an_address; ++i) limit.failed("10.0.0.1", std::to_string(i), begin);
    EXPECT_FALSE(limit.may_try("10.0.0.1", "another", begin));
    EXPECT_TRUE(limit.may_try("10.0.0.2", "another", begin));
}

TEST(console_login_limit, success_forgets_the_failures_of_the_name) {
    login_limit limit;
    for (int i = 0; i < login_limit::most_of_a_name; ++i) limit.failed("10.0.0.1", "anna", begin);
    limit.succeeded("10.0.0.1", "anna");
    EXPECT_TRUE(limit.may_try("10.0.0.1", "anna", begin));
}

TEST(console_login_limit, many_names_do_not_fill_the_memory_nor_free_the_address) {
    login_limit limit;
    for (int i = 0; i < 30'000; ++i) limit.failed("10.0.0.1", std::to_string(i), begin + duration{i});
    limit.failed("10.0.0.1", "anna", begin + duration{30'000});
    EXPECT_TRUE(limit.may_try("10.0.0.9", "anna", begin + duration{30'000}));
}

}  // namespace
}  // namespace sluice::console
