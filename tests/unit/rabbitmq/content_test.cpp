#include "broker/rabbitmq/content.hpp"

#include <gmock/gmock.h>

#include "broker/rabbitmq/message_properties.hpp"

namespace sluice::broker::rabbitmq {
namespace {

std::string a_delivery(std::string_view body, std::size_t frame_max = 4'096) {
    std::string bytes;
    amqp_basic_deliver_t fields{.consumer_tag = bytes_of("c"),
                                .delivery_tag = 3,
                                .redelivered = 0,
                                .exchange = bytes_of("shop"),
                                .routing_key = bytes_of("shop.order")};
    append_method(bytes, 1, AMQP_BASIC_DELIVER_METHOD, &fields);
    const outgoing message{.stream = "shop::order", .message_id = "m1", .key = "k1", .body = body};
    message_properties properties{message};
    append_content(bytes, 1, *encode_properties(properties.get(), body.size(), frame_max), body, frame_max);
    return bytes;
}

TEST(content_reader, puts_a_message_together) {
    const std::string body(9'000, 'x');
    frame_reader frames;
    frames.feed(a_delivery(body) + a_delivery(""));
    content_reader reader;
    int complete = 0;
    while (const auto got = frames.next()) {
        if (!reader.take(*got)) continue;
        ++complete;
        const auto& event = reader.current();
        ASSERT_TRUE(event.is(AMQP_BASIC_DELIVER_METHOD));
        EXPECT_EQ(event.what.as<amqp_basic_deliver_t>().delivery_tag, 3U);
        EXPECT_EQ(text_of(event.what.as<amqp_basic_deliver_t>().routing_key), "shop.order");
        EXPECT_EQ(event.body, complete == 1 ? body : "");
        EXPECT_EQ(headers_of(event.properties).key, "k1");
    }
    EXPECT_EQ(complete, 2);
}

TEST(content_reader, refuses_frames_that_do_not_follow) {
    const auto refuses = [](const std::vector<frame>& frames) {
        content_reader reader;
        try {
            for (const auto& each : frames) static_cast<void>(reader.take(each));
            return false;
        } catch (const outage&) {
            return true;
        }
    };
    const std::string bytes = a_delivery("body");
    frame_reader cut;
    cut.feed(bytes);
    std::vector<std::string> payloads;
    std::vector<frame> good;
    payloads.reserve(3);
    while (const auto got = cut.next()) {
        payloads.emplace_back(got->payload);
        good.push_back({.type = got->type, .channel = got->channel, .payload = payloads.back()});
    }
    ASSERT_EQ(good.size(), 3U);
    EXPECT_FALSE(refuses(good));
    EXPECT_TRUE(refuses({good[1]})) << "a header without a method";
    EXPECT_TRUE(refuses({good[0], good[0]})) << "a method instead of a header";
    EXPECT_TRUE(refuses({good[0], good[1], good[1]}));
    const std::string longer = "a longer body than announced";
    EXPECT_TRUE(refuses({good[0], good[1], {.type = AMQP_FRAME_BODY, .channel = 1, .payload = longer}}));
    EXPECT_TRUE(refuses({good[0], {.type = AMQP_FRAME_HEADER, .channel = 1, .payload = "short"}}));
}

/// Whoever may publish chooses the headers.
TEST(content_reader, survives_headers_that_are_nested_as_deeply_as_a_frame_allows) {
    constexpr std::size_t properties_head = 12;
    constexpr std::size_t level = 6;  // an empty name, the kind, the size
    const std::size_t levels = (largest_frame - frame_overhead - properties_head - 6) / level;
    std::string header(properties_head, '\0');
    header[1] = AMQP_BASIC_CLASS;
    header += std::string{"\x20\x00", 2};  // flags: headers
    const auto append_size = [&](std::size_t size) {
        for (const unsigned shift : {24U, 16U, 8U, 0U}) header += static_cast<char>(size >> shift);
    };
    for (std::size_t i = levels; i > 0; --i) {
        append_size((i - 1) * level);
        if (i > 1) header += std::string{"\x00", 1} + "F";
    }
    amqp_basic_return_t fields{};
    std::string method_frame;
    append_method(method_frame, 1, AMQP_BASIC_RETURN_METHOD, &fields);
    frame_reader frames;
    frames.feed(method_frame);
    content_reader reader;
    static_cast<void>(reader.take(*frames.next()));
    try {
        EXPECT_TRUE(reader.take({.type = AMQP_FRAME_HEADER, .channel = 1, .payload = header}));
        static_cast<void>(headers_of(reader.current().properties));
    } catch (const outage&) {
        SUCCEED() << "refused, which is as good";
    }
}

}  // namespace
}  // namespace sluice::broker::rabbitmq
