#include <gtest/gtest.h>

#include <sluice/error.hpp>
#include <sluice/message.hpp>

#include "envelope/envelope.hpp"

namespace sluice {
namespace {

std::string internal_message(const std::string& checksum) {
    return R"({"data":{"order_id":"o-1","amount":2.0},"metadata":{"headers":{"id":"m-1","type":"Shop.OrderShipped.v1",
        "stream":"shop::order-o-1"},"envelope":{"specversion":"1.0","checksum":")" +
           checksum + R"("},"domain":{"correlation_id":"c-1"}}})";
}

TEST(message, is_read_with_all_its_parts) {
    const auto checksum = envelope::checksum_of(json::parse(R"({"order_id":"o-1","amount":2.0})"));
    const auto m = message::decode(internal_message(checksum));
    EXPECT_EQ(m.id(), "m-1");
    EXPECT_TRUE(m.type().names("OrderShipped"));
    EXPECT_EQ(m.data().at("order_id").as_string(), "o-1");
    EXPECT_EQ(m.metadata().headers.stream, "shop::order-o-1");
    EXPECT_EQ(m.correlation_id(), "c-1");
    EXPECT_TRUE(m.raw().contains("metadata"));
}

TEST(message, copies_share_one_body) {
    const auto m = message::decode(R"({"data":{}})");
    const auto copy = m;  // NOLINT(performance-unnecessary-copy-initialization)
    EXPECT_EQ(&m.data(), &copy.data());
}

TEST(message, with_a_wrong_checksum_is_refused) {
    try {
        (void)message::decode(internal_message(std::string(64, '0')));
        FAIL() << "not refused";
    } catch (const decode_error& problem) {
        EXPECT_NE(std::string{problem.what()}.find("checksum mismatch in message m-1"), std::string::npos);
    }
}

TEST(message, that_a_serialiser_changed_does_not_match_its_checksum) {
    const auto checksum = envelope::checksum_of(json::parse(R"({"order_id":"o-1","amount":2})"));
    EXPECT_THROW((void)message::decode(internal_message(checksum)), decode_error);
}

TEST(message, without_a_checksum_is_not_verified) {
    EXPECT_NO_THROW((void)message::decode(R"({"data":{"a":1},"metadata":{"envelope":{"checksum":null}}})"));
    EXPECT_NO_THROW((void)message::decode(R"({"data":{"a":1},"metadata":{"envelope":{"specversion":"1.0"}}})"));
    EXPECT_NO_THROW((void)message::decode(R"({"data":{"a":1},"metadata":{"envelope":null}})"));
}

TEST(message, needs_an_object_under_data) {
    for (const auto* body : {"", "x", "[]", "1", "{}", R"({"data":null})", R"({"data":[1]})", R"({"data":"{}"})"}) {
        EXPECT_THROW((void)message::decode(body), decode_error) << body;
    }
}

TEST(message, lives_without_metadata) {
    for (const auto* body : {R"({"data":{}})", R"({"data":{},"metadata":null})", R"({"data":{},"metadata":"odd"})"}) {
        const auto m = message::decode(body);
        EXPECT_EQ(m.id(), "") << body;
        EXPECT_FALSE(m.correlation_id()) << body;
    }
}

TEST(message, takes_headers_from_the_top_when_metadata_has_none) {
    const auto m = message::decode(R"({"data":{},"id":"m-9","type":"A.B.v1","stream":"a::b-1",
                                       "time":"2026-01-01T00:00:00Z","metadata":{"domain":{"kind":"EVENT"}}})");
    EXPECT_EQ(m.id(), "m-9");
    EXPECT_TRUE(m.type().names("B"));
    EXPECT_EQ(m.metadata().headers.stream, "a::b-1");
    EXPECT_EQ(m.metadata().headers.time, date_time::parse("2026-01-01T00:00:00Z"));
}

TEST(message, keeps_the_flat_legacy_headers_before_those_at_the_top) {
    const auto m = message::decode(R"({"data":{},"id":"top","metadata":{"id":"flat","type":"A.B.v1"}})");
    EXPECT_EQ(m.id(), "flat");
}

TEST(message, finds_the_correlation_where_producers_put_it) {
    EXPECT_EQ(message::decode(R"({"data":{},"correlation_id":"c","metadata":{"correlation_id":"b",
                                  "domain":{"correlation_id":"a"}}})")
                  .correlation_id(),
              "a");
    EXPECT_EQ(message::decode(R"({"data":{},"correlation_id":"c","metadata":{"correlation_id":"b",
                                  "domain":{"correlation_id":"  "}}})")
                  .correlation_id(),
              "b");
    EXPECT_EQ(message::decode(R"({"data":{},"correlation_id":"c","metadata":{"domain":{}}})").correlation_id(), "c");
    EXPECT_FALSE(message::decode(R"({"data":{},"correlation_id":" ","metadata":{}})").correlation_id());
}

TEST(message, can_carry_another_payload) {
    const auto m = message::decode(R"({"data":{"n":1},"metadata":{"headers":{"id":"m","type":"A.B.v1"}}})");
    const auto other = m.with_data(json::object{{"n", 2}});
    EXPECT_EQ(json::dump(other.data()), R"({"n":2})");
    EXPECT_EQ(other.id(), "m");
    EXPECT_EQ(other.type().version(), 1);
    EXPECT_EQ(json::dump(other.raw().at("data")), R"({"n":1})");
    EXPECT_EQ(json::dump(m.data()), R"({"n":1})");
}

}  // namespace
}  // namespace sluice
