#include "broker/webhook/status_verdict.hpp"

#include <gmock/gmock.h>

#include <initializer_list>

namespace sluice::broker::webhook {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

void expect(status_meaning meaning, std::initializer_list<unsigned> statuses) {
    for (const unsigned each : statuses) EXPECT_EQ(meaning_of(each), meaning) << each;
}

TEST(status_verdict, tells_the_message_from_the_endpoint) {
    expect(status_meaning::delivered, {200, 201, 202, 204, 206, 299});
    expect(status_meaning::refused, {400, 409, 413, 415, 422, 431});
    expect(status_meaning::unwanted, {300, 301, 302, 303, 307, 308, 401, 402, 403, 404, 405, 406, 410, 418, 451, 499});
    expect(status_meaning::outage, {408, 425, 429, 500, 501, 502, 503, 504, 507, 599, 600, 999, 0, 100, 101, 103});
}

TEST(status_verdict, of_a_success_has_the_receipt_of_the_endpoint) {
    EXPECT_EQ(std::get<delivered>(verdict_of(200, "17", "words", "https://a/")).receipt, "17");
    EXPECT_EQ(std::get<delivered>(verdict_of(204, "", "", "https://a/")).receipt, "");
}

TEST(status_verdict, of_a_refusal_says_the_words_of_the_endpoint_on_one_line) {
    const auto no =
        std::get<refused>(verdict_of(422, "", "\r\n{\"error\":\n\"no such \x01 order\xff\"}", "https://a/"));
    EXPECT_THAT(no.reason,
                AllOf(HasSubstr("https://a/ answers 422"), HasSubstr("no such   order"), Not(HasSubstr("\n"))));
    EXPECT_EQ(no.code, "http_422");
    EXPECT_FALSE(no.permanent) << "the partner may mend it";
    EXPECT_LT(std::get<refused>(verdict_of(400, "", std::string(100'000, 'x'), "https://a/")).reason.size(), 400U);
}

TEST(status_verdict, says_what_to_do_when_the_endpoint_does_not_want_us) {
    const auto reason = [](unsigned status) {
        return std::get<unreachable>(verdict_of(status, "", "gone fishing", "https://a/")).reason;
    };
    EXPECT_THAT(reason(401), AllOf(HasSubstr("answers 401"), HasSubstr("secrets"), HasSubstr("gone fishing")));
    EXPECT_THAT(reason(403), HasSubstr("forbids"));
    EXPECT_THAT(reason(404), HasSubstr("path of URI"));
    EXPECT_THAT(reason(405), HasSubstr("POST"));
    EXPECT_THAT(reason(410), HasSubstr("external_brokers"));
    EXPECT_THAT(reason(302), HasSubstr("not followed"));
    EXPECT_THAT(reason(418), HasSubstr("ask the partner"));
    EXPECT_THAT(reason(503), Not(HasSubstr("ask the partner")));
}

}  // namespace
}  // namespace sluice::broker::webhook
