#include "sqlite/time_text.hpp"

#include <gtest/gtest.h>

namespace sluice::sqlite {
namespace {

TEST(time_text, sorts_as_the_times_do) {
    const auto whole = date_time::parse("2026-11-23T07:56:25Z");
    const auto later = date_time::parse("2026-11-23T07:56:25.000001Z");
    EXPECT_EQ(to_sql(whole), "2026-11-23T07:56:25.000000+00:00");
    EXPECT_LT(to_sql(whole), to_sql(later));
}

TEST(time_text, of_no_time_is_null) { EXPECT_EQ(to_sql(std::optional<date_time>{}), std::nullopt); }

}  // namespace
}  // namespace sluice::sqlite
