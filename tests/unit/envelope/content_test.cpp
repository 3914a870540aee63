#include "envelope/content.hpp"

#include <gtest/gtest.h>

#include "envelope/envelope.hpp"

namespace sluice::envelope {
namespace {

struct shipped {
    std::string type = "Shop.OrderShipped.v1";
    std::string data = R"({"order_id":"o-1","amount":2.0})";
    std::string time = "2026-01-01T00:00:00+00:00";
    std::string checksum{};
    std::string correlation = "c-1";

    [[nodiscard]] std::string body() const {
        const auto envelope =
            checksum.empty() ? R"({"specversion":"1.0"})" : R"({"specversion":"1.0","checksum":")" + checksum + R"("})";
        return R"({"data":)" + data + R"(,"metadata":{"headers":{"id":"m-1","time":")" + time + R"(","type":")" + type +
               R"("},"envelope":)" + envelope + R"(,"domain":{"correlation_id":")" + correlation + R"("}}})";
    }
    [[nodiscard]] std::string content() const { return content_of(message::decode(body())); }
};

TEST(message_content, is_its_type_and_its_payload) {
    const auto one = shipped{}.content();
    EXPECT_EQ(one.size(), 32U);
    EXPECT_EQ(shipped{.data = R"({ "amount": 2.0, "order_id": "o-1" })"}.content(), one) << "the same object";
    EXPECT_EQ(shipped{.time = "2026-02-02T00:00:00+00:00"}.content(), one) << "sent again by its producer";
    EXPECT_EQ(shipped{.checksum = checksum_of(json::parse(shipped{}.data))}.content(), one) << "the same, inside";
    EXPECT_NE(shipped{.data = R"({"order_id":"o-1","amount":3.0})"}.content(), one);
    EXPECT_NE(shipped{.type = "Shop.OrderCancelled.v1"}.content(), one);
}

TEST(message_content, is_that_of_the_message_as_it_came) {
    const auto m = message::decode(shipped{}.body());
    EXPECT_EQ(content_of(m.with_data(json::parse(R"({"newer":1})"))), content_of(m));
}

TEST(message_copies, may_differ_in_what_is_around_the_event) {
    const auto body = shipped{}.body();
    EXPECT_TRUE(are_copies(body, body));
    EXPECT_TRUE(are_copies(body, shipped{.correlation = "c-2"}.body()));
    EXPECT_TRUE(are_copies(body, shipped{.time = "2026-01-01T00:00:00Z"}.body())) << "the same instant";
    EXPECT_FALSE(are_copies(body, shipped{.time = "2026-02-02T00:00:00Z"}.body())) << "raised again";
    EXPECT_FALSE(are_copies(body, shipped{.data = "{}"}.body()));
    EXPECT_FALSE(are_copies(body, shipped{.type = "Shop.OrderCancelled.v1"}.body()));
}

TEST(message_copies, of_what_is_no_message_are_the_same_bytes) {
    EXPECT_TRUE(are_copies("\xff\x00", "\xff\x00"));
    EXPECT_FALSE(are_copies("1", "2"));
    EXPECT_FALSE(are_copies("{}", shipped{}.body()));
}

}  // namespace
}  // namespace sluice::envelope
