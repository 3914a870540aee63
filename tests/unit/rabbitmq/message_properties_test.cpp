#include "broker/rabbitmq/message_properties.hpp"

#include <array>

#include <gmock/gmock.h>

namespace sluice::broker::rabbitmq {
namespace {

using envelope::header;
using ::testing::ElementsAre;

/// What is read of a message that was written.
read_headers there_and_back(const outgoing& message) {
    message_properties written{message};
    const auto payload = encode_properties(written.get(), message.body.size(), largest_frame);
    decoding_pool pool;
    void* decoded = nullptr;
    constexpr std::size_t head = 12;
    EXPECT_GE(amqp_decode_properties(AMQP_BASIC_CLASS, pool.get(), bytes_of(std::string_view{*payload}.substr(head)),
                                     &decoded),
              0);
    const auto* const properties = static_cast<const amqp_basic_properties_t*>(decoded);
    EXPECT_EQ(properties->delivery_mode, 2) << "persistent";
    EXPECT_EQ(text_of(properties->message_id), message.message_id);
    return headers_of(properties);
}

TEST(message_properties, carry_headers_key_and_content_type) {
    const std::vector<header> head{{"traceparent", "00-1"}, {"ce-subject", "a \"b\" €"}, {"empty", ""}};
    const auto got = there_and_back({.stream = "shop::order",
                                     .message_id = "m1",
                                     .key = "shop::order-1",
                                     .body = "{}",
                                     .head = head,
                                     .content_type = "application/json"});
    EXPECT_EQ(got.key, "shop::order-1");
    EXPECT_EQ(got.content_type, "application/json");
    EXPECT_EQ(got.head, head);
}

TEST(message_properties, spell_attributes_of_cloudevents_as_its_binding_does) {
    const std::vector<header> head{{"ce-id", "1"}};
    message_properties written{{.stream = "s", .message_id = "m", .key = "", .body = "{}", .head = head}};
    ASSERT_EQ(written.get().headers.num_entries, 1);
    EXPECT_EQ(text_of(written.get().headers.entries[0].key), "cloudEvents:id");
}

TEST(headers_of, reads_both_spellings_and_numbers_and_leaves_out_the_rest) {
    std::array entries{amqp_table_entry_t{.key = bytes_of("cloudEvents_id"),
                                          .value = {.kind = AMQP_FIELD_KIND_UTF8, .value = {.bytes = bytes_of("1")}}},
                       amqp_table_entry_t{.key = bytes_of("x-delivery-count"),
                                          .value = {.kind = AMQP_FIELD_KIND_I64, .value = {.i64 = -3}}},
                       amqp_table_entry_t{.key = bytes_of("flag"),
                                          .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value = {.boolean = 1}}},
                       amqp_table_entry_t{.key = bytes_of("x-death"),
                                          .value = {.kind = AMQP_FIELD_KIND_ARRAY, .value = {.array = {}}}}};
    amqp_basic_properties_t properties{};
    properties._flags = AMQP_BASIC_HEADERS_FLAG;
    properties.headers = {.num_entries = entries.size(), .entries = entries.data()};
    const auto got = headers_of(&properties);
    EXPECT_THAT(got.head, ElementsAre(header{"ce-id", "1"}, header{"x-delivery-count", "-3"}, header{"flag", "true"}));
    EXPECT_EQ(got.key, "");
    EXPECT_EQ(headers_of(nullptr).head.size(), 0U);
}

}  // namespace
}  // namespace sluice::broker::rabbitmq
