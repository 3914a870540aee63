#include "broker/admission.hpp"

#include <gmock/gmock.h>

namespace sluice::broker {
namespace {

using ::testing::HasSubstr;

outgoing message(std::string_view id, std::string_view key, std::string_view body = "{}") {
    return {.stream = "shop::order", .message_id = id, .key = key, .body = body};
}

TEST(admission, lets_good_messages_pass) {
    admission gate{10};
    EXPECT_FALSE(gate.check(message("a", "k1")));
    EXPECT_FALSE(gate.check(message("b", "k1", "0123456789")));
}

TEST(admission, refuses_for_good_what_no_broker_can_keep) {
    struct expected {
        outgoing message;
        std::string code;
    };
    const std::vector<expected> cases{
        {{.stream = "", .message_id = "a", .key = "k1", .body = "{}"}, "no_stream"},
        {{.stream = "s", .message_id = "", .key = "k2", .body = "{}"}, "no_message_id"},
        {{.stream = "s", .message_id = "a", .key = "k3", .body = ""}, "empty_message"},
        {{.stream = "s", .message_id = "a", .key = "k4", .body = "12345"}, "message_too_big"},
    };
    admission gate{4};
    for (const auto& [bad, code] : cases) {
        const auto no = gate.check(bad);
        ASSERT_TRUE(no) << code;
        const auto& refusal = std::get<refused>(*no);
        EXPECT_EQ(refusal.code, code);
        EXPECT_TRUE(refusal.permanent);
    }
}

TEST(admission, names_size_and_limit_and_not_the_payload) {
    admission gate{4};
    const auto no = gate.check(message("a", "k", "secret"));
    ASSERT_TRUE(no);
    EXPECT_EQ(std::get<refused>(*no).reason, "message a has 6 bytes; this broker takes at most 4");
}

TEST(admission, has_no_limit_when_it_is_zero) {
    admission gate{0};
    EXPECT_FALSE(gate.check(message("a", "k", std::string(100'000, 'x'))));
}

TEST(admission, holds_back_later_messages_of_a_refused_key_without_blaming_them) {
    admission gate{4};
    ASSERT_TRUE(gate.check(message("a", "k1", "too long")));
    const auto later = gate.check(message("b", "k1"));
    ASSERT_TRUE(later);
    EXPECT_THAT(std::get<unreachable>(*later).reason, HasSubstr("held back"));
    EXPECT_FALSE(gate.check(message("c", "k2")));
}

TEST(admission, holds_back_on_demand) {
    admission gate{0};
    const auto failed = message("a", "k1");
    ASSERT_FALSE(gate.check(failed));
    gate.hold_back(failed);
    EXPECT_TRUE(gate.check(message("b", "k1")));
}

TEST(admission, lets_messages_without_a_key_stand_alone) {
    admission gate{4};
    ASSERT_TRUE(gate.check(message("a", "", "too long")));
    EXPECT_FALSE(gate.check(message("b", "")));
}

}  // namespace
}  // namespace sluice::broker
