#include "broker/nats/acknowledgement.hpp"

#include <gmock/gmock.h>

namespace sluice::broker::nats {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

acknowledgement read_ack(std::string data, int status = 0) {
    return read_acknowledgement({.token = {}, .reply = {}, .data = std::move(data), .status = status});
}
verdict verdict_of(std::string data) { return std::get<verdict>(read_ack(std::move(data))); }
std::string error_text(int code, int error_code) {
    return R"({"error":{"code":)" + std::to_string(code) + R"(,"err_code":)" + std::to_string(error_code) +
           R"(,"description":"no\nway"}})";
}

TEST(nats_acknowledgement, tells_where_a_message_is_kept) {
    const auto first = std::get<kept>(read_ack(R"({"stream":"ORDERS","seq":17})"));
    EXPECT_EQ(first.receipt(), "ORDERS:17");
    EXPECT_FALSE(first.is_duplicate);
    EXPECT_TRUE(std::get<kept>(read_ack(R"({"stream":"S","seq":1,"duplicate":true})")).is_duplicate);
}

TEST(nats_acknowledgement, is_none_when_nobody_listens) {
    EXPECT_TRUE(std::holds_alternative<nobody_took_it>(read_ack("", 503)));
}

TEST(nats_acknowledgement, makes_what_hits_every_message_an_outage) {
    for (const int full : {10077, 10047, 10023, 10002, 10008, 10039, 10076}) {
        EXPECT_TRUE(std::holds_alternative<unreachable>(verdict_of(error_text(503, full)))) << full;
    }
    EXPECT_TRUE(std::holds_alternative<unreachable>(verdict_of(error_text(503, 12345)))) << "by its class";
    EXPECT_TRUE(std::holds_alternative<unreachable>(verdict_of(error_text(429, 0))));
}

TEST(nats_acknowledgement, refuses_a_message_that_the_server_does_not_want) {
    const auto too_big = std::get<refused>(verdict_of(error_text(400, 10054)));
    EXPECT_EQ(too_big.code, "message_too_big");
    EXPECT_TRUE(too_big.permanent);
    const auto elsewhere = std::get<refused>(verdict_of(error_text(400, 10060)));
    EXPECT_EQ(elsewhere.code, "nats_10060");
    EXPECT_TRUE(elsewhere.stream_closed);
    const auto unknown = std::get<refused>(verdict_of(error_text(400, 19999)));
    EXPECT_EQ(unknown.code, "nats_19999");
    EXPECT_FALSE(unknown.permanent);
    EXPECT_EQ(unknown.reason, "JetStream: no way (19999)") << "one line";
}

TEST(nats_acknowledgement, takes_what_it_cannot_read_for_a_doubt) {
    for (const auto* text : {"", "nonsense", "[]", "{}", R"({"stream":1,"seq":"x"})", R"({"stream":"S","seq":1.5})"}) {
        EXPECT_TRUE(std::holds_alternative<unreachable>(verdict_of(text))) << text;
    }
    const auto long_error = verdict_of(R"({"error":{"code":400,"description":")" + std::string(10'000, 'x') + R"("}})");
    EXPECT_LT(std::get<refused>(long_error).reason.size(), 300U);
}

}  // namespace
}  // namespace sluice::broker::nats
