#include "broker/webhook/request.hpp"

#include <gmock/gmock.h>

#include <sluice/version.hpp>

#include "broker/webhook/signature.hpp"

namespace sluice::broker::webhook {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const date_time then = date_time::from_micros(1'614'265'330'000'000);

outgoing message(const envelope::header_list& head = {}, std::string_view content_type = {}) {
    return {.stream = "shop::order",
            .message_id = "o-1-0.1",
            .key = "shop::order-o 1",
            .body = "{}",
            .head = head,
            .content_type = content_type};
}

TEST(request, has_these_bytes) {
    const envelope::header_list head{{"ce-subject", "Euro \xE2\x82\xAC \"%\""}, {"traceparent", "00-abc-01"}};
    const request_terms terms{.to = read_endpoint("https://a:8443/hooks?x=1"),
                              .keys = read_secrets("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
                              .authorization = "Bearer t"};
    EXPECT_EQ(request_head(message(head, "application/cloudevents+json; charset=UTF-8"), terms, then),
              "POST /hooks?x=1 HTTP/1.1\r\n"
              "Host: a:8443\r\n"
              "User-Agent: sluice/" SLUICE_VERSION
              "\r\n"
              "Content-Type: application/cloudevents+json; charset=UTF-8\r\n"
              "Content-Length: 2\r\n"
              "webhook-id: o-1-0_2E1\r\n"
              "webhook-timestamp: 1614265330\r\n"
              "webhook-signature: " +
                  sign("o-1-0_2E1", "1614265330", "{}", terms.keys) +
                  "\r\n"
                  "Authorization: Bearer t\r\n"
                  "sluice-key: shop::order-o%201\r\n"
                  "ce-subject: Euro%20%E2%82%AC%20%22%25%22\r\n"
                  "traceparent: 00-abc-01\r\n"
                  "\r\n");
}

TEST(request, leaves_out_what_there_is_none_of) {
    auto plain = message();
    plain.key = {};
    const std::string head = request_head(plain, {.to = read_endpoint("http://a/")}, then);
    EXPECT_THAT(head, HasSubstr("Content-Type: application/json\r\n"));
    for (const char* each : {"webhook-signature", "Authorization", "sluice-key"}) {
        EXPECT_THAT(head, Not(HasSubstr(each)));
    }
}

TEST(request, cannot_be_split_by_a_value) {
    const envelope::header_list head{{"ce-subject", "x\r\nX-Admin: yes\r\n\r\nPOST /"}};
    EXPECT_EQ(why_not_sent(message(head)), std::nullopt);
    const std::string text = request_head(message(head), {.to = read_endpoint("http://a/")}, then);
    EXPECT_THAT(text, HasSubstr("ce-subject: x%0D%0AX-Admin:%20yes%0D%0A%0D%0APOST%20/\r\n\r\n"));
}

TEST(request, is_not_made_of_what_no_request_carries) {
    const auto code = [](const outgoing& of) {
        const auto no = why_not_sent(of);
        return no ? (no->permanent ? no->code : "not for good") : std::string{};
    };
    const auto with = [&](const char* name) {
        const envelope::header_list head{{name, "x"}};
        return code(message(head));
    };
    EXPECT_EQ(with("ce-id"), "");
    EXPECT_EQ(with("correlation_id"), "");
    for (const char* each : {"", "a b", "a:b", "a\r\nb", "gr\xC3\xBC\xC3\x9F"})
        EXPECT_EQ(with(each), "header_name") << each;
    for (const char* each : {"Host", "content-length", "Transfer-Encoding", "webhook-id", "Webhook-Signature",
                             "sluice-key", "Authorization", "Expect"}) {
        EXPECT_EQ(with(each), "header_name") << each;
    }
    EXPECT_EQ(code(message({}, "text/plain\r\nx: y")), "content_type");
    const envelope::header_list much{{"ce-x", std::string(20'000, 'x')}};
    EXPECT_EQ(code(message(much)), "headers_too_big");
}

}  // namespace
}  // namespace sluice::broker::webhook
