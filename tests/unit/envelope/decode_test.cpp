#include <gtest/gtest.h>

#include <sluice/error.hpp>

#include "envelope/envelope.hpp"

namespace sluice::envelope {
namespace {

message_metadata decoded(std::string_view text) { return decode_metadata(json::parse(text)); }

TEST(decode_metadata, returns_what_was_encoded) {
    message_metadata original;
    original.headers = {"m-1",
                        date_time::from_micros(1'700'000'000'123'456),
                        "Shop.OrderShipped.v2",
                        "shop::order-1",
                        trace_parent{"0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", true},
                        "key \"1\"",
                        "2026-11-23T08:00:00+00:00"};
    original.checksum = std::string(64, 'a');
    original.domain = {"shop.OrderShipped",
                       message_kind::command,
                       "shop::cart-1",
                       "shop::order",
                       2,
                       "3.1",
                       false,
                       3,
                       -50,
                       "c-1",
                       "m-0"};
    original.extensions.set("tenant", "ä");

    const auto text = encode_metadata(original);
    const auto copy = decoded(text);
    EXPECT_EQ(encode_metadata(copy), text);
    EXPECT_EQ(copy.headers.traceparent, original.headers.traceparent);
    EXPECT_EQ(copy.headers.time, original.headers.time);
    EXPECT_EQ(copy.domain.kind, message_kind::command);
    EXPECT_EQ(copy.domain.expected_version, 3);
    EXPECT_EQ(copy.domain.priority, -50);
    EXPECT_FALSE(copy.domain.asynchronous);
    EXPECT_EQ(copy.extensions, original.extensions);
}

TEST(decode_metadata, leaves_missing_parts_empty) {
    const auto empty = decoded("{}");
    EXPECT_EQ(empty.headers.id, "");
    EXPECT_FALSE(empty.headers.time);
    EXPECT_FALSE(empty.checksum);
    EXPECT_EQ(empty.domain.version, 1);
    EXPECT_EQ(empty.domain.kind, message_kind::event);
    EXPECT_TRUE(empty.extensions.empty());
}

TEST(decode_metadata, ignores_unknown_keys_everywhere) {
    const auto read = decoded(R"({"new":1,"headers":{"id":"m","more":[1]},"domain":{"fqn":"f","x":{}},
                                  "envelope":{"y":null},"extensions":{"z":1}})");
    EXPECT_EQ(read.headers.id, "m");
    EXPECT_EQ(read.domain.fqn, "f");
    EXPECT_TRUE(read.extensions.contains("z"));
}

TEST(decode_metadata, reads_numbers_where_text_is_usual_and_the_reverse) {
    EXPECT_EQ(decoded(R"({"domain":{"sequence_id":7}})").domain.sequence_id, "7");
    EXPECT_EQ(decoded(R"({"domain":{"version":"v2"}})").domain.version, 2);
    EXPECT_EQ(decoded(R"({"domain":{"version":"3"}})").domain.version, 3);
    EXPECT_EQ(decoded(R"({"domain":{"version":4}})").domain.version, 4);
    EXPECT_EQ(decoded(R"({"domain":{"expected_version":"5"}})").domain.expected_version, 5);
    EXPECT_EQ(decoded(R"({"headers":{"id":6}})").headers.id, "6");
}

TEST(decode_metadata, falls_back_on_nonsense) {
    const auto read = decoded(R"({"headers":{"id":[],"time":"soon","traceparent":7,"type":null},
                                  "domain":{"version":-1,"priority":99999999999,"asynchronous":"no","kind":5},
                                  "envelope":"1.0","extensions":[]})");
    EXPECT_EQ(read.headers.id, "");
    EXPECT_FALSE(read.headers.time);
    EXPECT_FALSE(read.headers.traceparent);
    EXPECT_EQ(read.domain.version, 1);
    EXPECT_EQ(read.domain.priority, 0);
    EXPECT_TRUE(read.domain.asynchronous);
    EXPECT_EQ(read.domain.kind, message_kind::event);
    EXPECT_TRUE(read.extensions.empty());
}

TEST(decode_metadata, reads_a_trace_parent_in_either_form) {
    const trace_parent expected{"0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", true};
    EXPECT_EQ(decoded(R"({"headers":{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}})")
                  .headers.traceparent,
              expected);
    EXPECT_EQ(decoded(R"({"headers":{"traceparent":{"trace_id":"0af7651916cd43dd8448eb211c80319c",
                          "parent_id":"b7ad6b7169203331","sampled":true,"state":"x"}}})")
                  .headers.traceparent,
              expected);
}

TEST(decode_metadata, reads_times_of_other_producers) {
    const auto expected = date_time::parse("2026-11-23T07:56:25.500000+00:00");
    EXPECT_EQ(decoded(R"({"headers":{"time":"2026-11-23T07:56:25.500000000Z"}})").headers.time, expected);
    EXPECT_EQ(decoded(R"({"headers":{"time":1795420585.5}})").headers.time, expected);
    EXPECT_FALSE(decoded(R"({"headers":{"time":1e300}})").headers.time);
    EXPECT_FALSE(decoded(R"({"headers":{"time":NaN}})").headers.time);
}

TEST(decode_metadata, migrates_the_flat_legacy_form) {
    const auto read = decoded(R"({"fqn":"shop.OrderShipped","kind":"EVENT","id":"m-1",
        "timestamp":"2020-01-01T00:00:00+00:00","type":"Shop.OrderShipped.v1","stream":"shop::order-1",
        "version":"v1","sequence_id":"0.1","payload_hash":123})");
    EXPECT_EQ(read.headers.id, "m-1");
    EXPECT_EQ(read.headers.time, date_time::parse("2020-01-01T00:00:00+00:00"));
    EXPECT_EQ(read.headers.stream, "shop::order-1");
    EXPECT_EQ(read.domain.fqn, "shop.OrderShipped");
    EXPECT_EQ(read.domain.sequence_id, "0.1");
    EXPECT_FALSE(read.checksum);
}

TEST(decode_metadata, refuses_what_is_no_object) {
    EXPECT_THROW((void)decoded("null"), decode_error);
    EXPECT_THROW((void)decoded("[1]"), decode_error);
}

}  // namespace
}  // namespace sluice::envelope
