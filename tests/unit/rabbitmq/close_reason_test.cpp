#include "broker/rabbitmq/close_reason.hpp"

#include <gmock/gmock.h>

namespace sluice::broker::rabbitmq {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(close_reason, of_the_exchange_the_account_or_the_server_is_an_outage) {
    for (const auto& [code, text] : std::initializer_list<std::pair<std::uint16_t, const char*>>{
             {404, "NOT_FOUND - no exchange 'shop' in vhost '/'"},
             {403, "ACCESS_REFUSED - access to exchange 'shop' in vhost '/' refused for user 'app'"},
             {541, "INTERNAL_ERROR"},
             {505, "UNEXPECTED_FRAME - expected content header"}}) {
        EXPECT_TRUE(std::holds_alternative<unreachable>(verdict_on_close(code, text))) << text;
    }
}

TEST(close_reason, of_a_topic_closes_the_stream) {
    const auto no = std::get<refused>(verdict_on_close(
        403, "ACCESS_REFUSED - access to topic 'shop.order' in exchange 'shop' in vhost '/' refused for user 'app'"));
    EXPECT_TRUE(no.stream_closed);
    EXPECT_FALSE(no.permanent);
    EXPECT_EQ(no.code, "ACCESS_REFUSED");
}

TEST(close_reason, of_the_size_is_a_refusal_for_good) {
    const auto no = std::get<refused>(
        verdict_on_close(406, "PRECONDITION_FAILED - message size 20000 is larger than configured max size 1000"));
    EXPECT_TRUE(no.permanent);
    EXPECT_EQ(no.code, "message_too_big");
    EXPECT_EQ(std::get<refused>(verdict_on_close(406, "PRECONDITION_FAILED - other")).code, "PRECONDITION_FAILED");
}

TEST(close_reason, is_shown_as_one_bounded_line) {
    const auto shown = shown_reason("NOT_FOUND - no exchange '" + std::string(1'000, 'x') + "\r\nSet-Cookie: \xff");
    EXPECT_LT(shown.size(), 300U);
    EXPECT_THAT(shown, Not(HasSubstr("\n")));
    EXPECT_EQ(shown_reason("a\xff"), "a\xEF\xBF\xBD");
    EXPECT_EQ(reason_code(404, "lower case"), "404");
}

}  // namespace
}  // namespace sluice::broker::rabbitmq
