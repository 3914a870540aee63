#include "broker/webhook/incoming.hpp"

#include <gmock/gmock.h>

#include "broker/webhook/receiving_broker.hpp"
#include "broker/webhook/signature.hpp"

#include <sluice/error.hpp>

namespace sluice::broker::webhook {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const date_time then = date_time::from_micros(1'614'265'330'000'000);
const signing_keys keys = read_secrets("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");

receiving_terms terms(const std::string& stream = {}) {
    return {.keys = keys, .stream = stream, .objection_to = [](const std::string& name) -> std::optional<turned_down> {
                if (name == "nobody") return turned_down{404, "nobody reads it"};
                return std::nullopt;
            }};
}

envelope::header_list signed_headers(const std::string& body, const envelope::header_list& more = {}) {
    envelope::header_list headers{{"host", "a"},
                                  {"webhook-id", "msg_1"},
                                  {"webhook-timestamp", "1614265330"},
                                  {"webhook-signature", sign("msg_1", "1614265330", body, keys)}};
    headers.insert(headers.end(), more.begin(), more.end());
    return headers;
}

unsigned status_of_head(const envelope::header_list& headers, std::string_view target = "/shop::order",
                        std::string_view method = "POST") {
    const auto no = why_not_read({.method = method, .target = target, .headers = headers}, terms());
    return no ? no->status : 0;
}

TEST(incoming, is_a_message_of_the_stream_that_the_path_ends_with) {
    EXPECT_EQ(stream_of("/hooks/shop%3A%3Aorder?x=1", terms()), "shop::order");
    EXPECT_EQ(stream_of("/shop::order", terms()), "shop::order");
    EXPECT_EQ(stream_of("/hooks/", terms()), "");
    EXPECT_EQ(stream_of("*", terms()), "");
    EXPECT_EQ(stream_of("/a%00b", terms()), "");
    EXPECT_EQ(stream_of("/a%FF", terms()), "");
    EXPECT_EQ(stream_of("/a%2Fb", terms()), "a/b");
    EXPECT_EQ(stream_of("/whatever", terms("github::event")), "github::event");
}

TEST(incoming, is_turned_down_before_its_body_is_read) {
    EXPECT_EQ(status_of_head(signed_headers("{}")), 0U);
    EXPECT_EQ(status_of_head(signed_headers("{}"), "/shop::order", "GET"), 405U);
    EXPECT_EQ(status_of_head(signed_headers("{}"), "/"), 404U);
    EXPECT_EQ(status_of_head(signed_headers("{}"), "/nobody"), 404U);
    EXPECT_EQ(status_of_head(signed_headers("{}", {{"content-encoding", "gzip"}})), 415U);
    EXPECT_EQ(status_of_head(signed_headers("{}", {{"content-encoding", "identity"}})), 0U);
    for (const char* each : {"webhook-id", "webhook-timestamp", "webhook-signature"}) {
        auto headers = signed_headers("{}");
        std::erase_if(headers, [&](const auto& header) { return header.name == each; });
        EXPECT_EQ(status_of_head(headers), 400U) << each << " is missing";
        EXPECT_EQ(status_of_head(signed_headers("{}", {{each, "x"}})), 400U) << each << " twice";
    }
    EXPECT_EQ(status_of_head(signed_headers("{}", {{"ce-id", "a"}, {"ce-id", "b"}})), 400U);
    EXPECT_EQ(status_of_head(signed_headers("{}", {{"ce-subject", "\xE2\x82\xAC"}})), 400U);
    EXPECT_EQ(status_of_head(signed_headers("{}", {{"x-other", "\xE2\x82\xAC"}, {"x-other", "b"}})), 0U)
        << "nothing rests on it";
    envelope::header_list long_id{
        {"webhook-id", std::string(513, 'x')}, {"webhook-timestamp", "1"}, {"webhook-signature", "v1,"}};
    EXPECT_EQ(status_of_head(long_id), 400U);
}

TEST(incoming, brings_what_whoever_handles_it_needs_and_nothing_else) {
    const std::string body = "{ \"b\":1, \"a\" : \"\\u20ac\" }";
    const auto headers = signed_headers(body, {{"content-type", "application/json"},
                                               {"authorization", "Bearer hunter2"},
                                               {"cookie", "hunter2"},
                                               {"user-agent", "curl"},
                                               {"content-length", "26"},
                                               {"sluice-key", "o%201"},
                                               {"ce-subject", "Euro%20%E2%82%AC%20%22%25%22"},
                                               {"traceparent", "00-1"},
                                               {"x-url", "/a%20b"}});
    const auto got = receive({.method = "POST", .target = "/shop::order", .headers = headers}, body, terms(), then);
    const auto& message = std::get<received_message>(got);
    EXPECT_EQ(message.stream, "shop::order");
    EXPECT_EQ(message.id, "msg_1");
    EXPECT_EQ(message.key, "o 1");
    EXPECT_EQ(message.body, body);
    EXPECT_EQ(message.content_type, "application/json");
    EXPECT_THAT(
        message.head,
        ElementsAre(envelope::header{"webhook-id", "msg_1"}, envelope::header{"ce-subject", "Euro \xE2\x82\xAC \"%\""},
                    envelope::header{"traceparent", "00-1"}, envelope::header{"x-url", "/a%20b"}));
}

TEST(incoming, has_the_key_of_cloudevents_when_there_is_no_other) {
    const auto key = [](const envelope::header_list& more) {
        const auto headers = signed_headers("{}", more);
        return std::get<received_message>(
                   receive({.method = "POST", .target = "/s", .headers = headers}, "{}", terms(), then))
            .key;
    };
    EXPECT_EQ(key({}), "");
    EXPECT_EQ(key({{"ce-partitionkey", "a"}}), "a");
    EXPECT_EQ(key({{"ce-partitionkey", "a"}, {"sluice-key", "b"}}), "b");
}

TEST(incoming, is_verified_before_anything_of_its_body_is_looked_at) {
    const auto status = [](const std::string& signed_body, const std::string& body, date_time now = then,
                           const envelope::header_list& more = {}) {
        const auto headers = signed_headers(signed_body, more);
        const auto got = receive({.method = "POST", .target = "/s", .headers = headers}, body, terms(), now);
        const auto* no = std::get_if<turned_down>(&got);
        return no != nullptr ? no->status : 200U;
    };
    EXPECT_EQ(status("{\"a\": 1}", "{\"a\": 1}"), 200U);
    EXPECT_EQ(status("{\"a\": 1}", "{\"a\":1}"), 401U) << "the same value, other bytes";
    EXPECT_EQ(status("", ""), 422U);
    EXPECT_EQ(status("x", ""), 401U);
    EXPECT_EQ(status("{}", "{}", then + std::chrono::minutes{6}), 401U);
    EXPECT_EQ(status("{}", "{}", then - std::chrono::minutes{6}), 401U);
    EXPECT_EQ(status("{}", "{}", then, {{"ce-subject", "%FF"}}), 400U);
    EXPECT_EQ(status("{}", "{}", then, {{"sluice-key", "%FF"}}), 400U);
}

TEST(listening_address, is_a_host_and_a_port) {
    EXPECT_EQ(read_listening_address("127.0.0.1:8088").host, "127.0.0.1");
    EXPECT_EQ(read_listening_address("127.0.0.1:8088").port, 8088);
    EXPECT_EQ(read_listening_address("[::]:80").host, "::");
    for (const char* each : {"", "8088", ":8088", "a:", "a:x", "a:70000", "::1:80", "[]:80", "a:80 "}) {
        EXPECT_THROW(static_cast<void>(read_listening_address(each)), configuration_error) << each;
    }
}

}  // namespace
}  // namespace sluice::broker::webhook
