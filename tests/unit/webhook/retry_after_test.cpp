#include "broker/webhook/retry_after.hpp"

#include <gtest/gtest.h>

#include "broker/webhook/http_date.hpp"

namespace sluice::broker::webhook {
namespace {

using std::chrono::seconds;

const date_time now = date_time::parse("2026-11-29T10:00:00Z");

TEST(http_date, reads_each_of_the_three_forms) {
    const auto expected = date_time::parse("1994-11-06T08:49:37Z");
    EXPECT_EQ(read_http_date("Sun, 06 Nov 1994 08:49:37 GMT", now), expected);
    EXPECT_EQ(read_http_date("Sunday, 06-Nov-94 08:49:37 GMT", now), expected);
    EXPECT_EQ(read_http_date("Sun Nov  6 08:49:37 1994", now), expected);
    EXPECT_EQ(read_http_date("Wed Nov 16 08:49:37 1994", now), date_time::parse("1994-11-16T08:49:37Z"));
}

TEST(http_date, takes_a_year_of_two_digits_for_a_near_one) {
    EXPECT_EQ(read_http_date("Sunday, 06-Nov-76 08:49:37 GMT", now), date_time::parse("2076-11-06T08:49:37Z"));
    EXPECT_EQ(read_http_date("Sunday, 06-Nov-77 08:49:37 GMT", now), date_time::parse("1977-11-06T08:49:37Z"));
}

TEST(http_date, is_nothing_else) {
    for (const char* each :
         {"", "x", "Sun, ", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
          "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
          "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, -6 Nov 1994 08:49:37 GMT",
          "Sun, 06 Nov 1994 08:49:37 GMT x", "2026-11-29T10:00:00Z", "Sun Nov  6 08:49:37",
          "Sunday, 06-Nov-994 08:49:37 GMT"}) {
        EXPECT_EQ(read_http_date(each, now), std::nullopt) << each;
    }
}

TEST(retry_after, is_a_number_of_seconds) {
    EXPECT_EQ(read_retry_after("120", "", now), seconds{120});
    EXPECT_EQ(read_retry_after("0", "", now), seconds{0});
    EXPECT_EQ(read_retry_after("", "", now), seconds{0});
}

TEST(retry_after, is_capped) {
    EXPECT_EQ(read_retry_after("1000000000", "", now), longest_retry_after);
    EXPECT_EQ(read_retry_after("99999999999999999999999999", "", now), longest_retry_after);
    EXPECT_EQ(read_retry_after("Sun, 29 Nov 2076 10:00:30 GMT", "", now), longest_retry_after);
}

TEST(retry_after, means_nothing_when_it_is_rubbish_negative_or_past) {
    for (const char* each : {"-1", "1e9", "soon", "12 s", " 12", "1.5", "Sun, 29 Nov 2026 09:59:59 GMT"}) {
        EXPECT_EQ(read_retry_after(each, "", now), seconds{0}) << each;
    }
}

TEST(retry_after, compares_a_date_with_that_of_the_answer) {
    EXPECT_EQ(read_retry_after("Sun, 29 Nov 2026 10:00:30 GMT", "", now), seconds{30});
    EXPECT_EQ(read_retry_after("Sun, 29 Nov 2026 12:00:30 GMT", "Sun, 29 Nov 2026 12:00:00 GMT", now), seconds{30})
        << "their clock is two hours ahead";
    EXPECT_EQ(read_retry_after("Sun, 29 Nov 2026 10:00:30 GMT", "rubbish", now), seconds{30});
}

}  // namespace
}  // namespace sluice::broker::webhook
