#include "telemetry/delivery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::telemetry {
namespace {

using namespace std::chrono_literals;
using result = delivery::result;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(delivery, what_is_taken_is_delivered) {
    const delivery all = judge({.status = 200, .body = "{}"});
    EXPECT_EQ(all.is, result::delivered);
    EXPECT_EQ(all.rejected, 0U);
    EXPECT_EQ(all.reason, "");
}

TEST(delivery, a_part_may_be_rejected) {
    for (const char* count : {"3", "\"3\""}) {
        const delivery part = judge({.status = 200,
                                     .body = std::string{R"({"partialSuccess":{"rejectedSpans":)"} + count +
                                             R"(,"errorMessage":"too\nold"}})"});
        EXPECT_EQ(part.is, result::delivered);
        EXPECT_EQ(part.rejected, 3U) << count;
        EXPECT_EQ(part.reason, "too old");
    }
    const delivery points = judge({.status = 200, .body = R"({"partialSuccess":{"rejectedDataPoints":"2"}})"});
    EXPECT_EQ(points.rejected, 2U);
}

TEST(delivery, an_answer_of_another_form_says_that_all_was_taken) {
    for (const char* body :
         {"", "\x0A\x00", "[]", R"({"partialSuccess":[]})", R"({"partialSuccess":{"rejectedSpans":"x"}})"}) {
        const delivery all = judge({.status = 200, .body = body});
        EXPECT_EQ(all.is, result::delivered) << body;
        EXPECT_EQ(all.rejected, 0U) << body;
    }
}

TEST(delivery, what_may_pass_is_worth_another_attempt) {
    for (const int status : {429, 502, 503, 504}) {
        EXPECT_EQ(judge({.status = status, .retry_after = 7s}).is, result::again) << status;
        EXPECT_EQ(judge({.status = status, .retry_after = 7s}).retry_after, 7s) << status;
    }
    const delivery away = judge({.trouble = "connection refused"});
    EXPECT_EQ(away.is, result::again);
    EXPECT_EQ(away.reason, "connection refused");
}

TEST(delivery, everything_else_is_refused_for_good) {
    for (const int status : {301, 400, 401, 403, 404, 413, 415, 500, 501, 505}) {
        EXPECT_EQ(judge({.status = status}).is, result::refused) << status;
    }
    EXPECT_EQ(judge({.status = 400, .body = "no\r\nsuch field"}).reason, "HTTP status 400: no  such field");
}

TEST(delivery, nobody_asks_for_a_pause_of_hours) {
    EXPECT_EQ(judge({.status = 503, .retry_after = 24h}).retry_after, 5min);
    EXPECT_EQ(judge({.status = 503, .retry_after = -1s}).retry_after, 0s);
}

}  // namespace
}  // namespace sluice::telemetry
