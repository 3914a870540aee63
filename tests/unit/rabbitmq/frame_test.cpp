#include "broker/rabbitmq/frame.hpp"

#include <gmock/gmock.h>

namespace sluice::broker::rabbitmq {
namespace {

std::string an_ack(std::uint64_t tag) {
    std::string bytes;
    amqp_basic_ack_t fields{.delivery_tag = tag, .multiple = 1};
    append_method(bytes, 1, AMQP_BASIC_ACK_METHOD, &fields);
    return bytes;
}

TEST(frame_reader, cuts_frames_out_of_any_pieces) {
    std::string bytes = an_ack(7);
    append_heartbeat(bytes);
    bytes += an_ack(8);
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
        frame_reader reader;
        decoding_pool pool;
        std::vector<std::uint64_t> tags;
        int heartbeats = 0;
        for (std::size_t at = 0; at < bytes.size(); at += piece) {
            reader.feed(std::string_view{bytes}.substr(at, piece));
            while (const auto got = reader.next()) {
                if (got->type == AMQP_FRAME_HEARTBEAT) {
                    ++heartbeats;
                    continue;
                }
                const auto what = method::read(got->payload, pool);
                ASSERT_EQ(what.number, AMQP_BASIC_ACK_METHOD);
                tags.push_back(what.as<amqp_basic_ack_t>().delivery_tag);
            }
        }
        EXPECT_THAT(tags, ::testing::ElementsAre(7, 8)) << "in pieces of " << piece;
        EXPECT_EQ(heartbeats, 1);
        EXPECT_EQ(reader.waiting(), 0U);
    }
}

TEST(frame_reader, refuses_what_is_no_frame) {
    for (const std::string& bytes : {std::string{"AMQP\0\0\x09\x01", 8}, std::string{"HTTP/1.1 400 Bad Request"},
                                     std::string{"\x01\x00\x01\xff\xff\xff\xff", 7},  // of 4 GB
                                     an_ack(1).replace(an_ack(1).size() - 1, 1, "x")}) {
        frame_reader reader;
        reader.feed(bytes);
        EXPECT_THROW(static_cast<void>(reader.next()), outage) << bytes;
    }
}

TEST(method, is_refused_when_it_is_cut_short_or_unknown) {
    decoding_pool pool;
    EXPECT_THROW(static_cast<void>(method::read("", pool)), outage);
    EXPECT_THROW(static_cast<void>(method::read("\x00\x3c\x00\x50"
                                                "xx",
                                                pool)),
                 outage);
    EXPECT_THROW(static_cast<void>(method::read("\x7f\x7f\x7f\x7f", pool)), outage);
}

TEST(append_content, cuts_a_body_into_frames_that_the_server_takes) {
    constexpr std::size_t frame_max = 4'096;
    amqp_basic_properties_t properties{};
    const std::string body(10'000, 'b');
    const auto header = encode_properties(properties, body.size(), frame_max);
    ASSERT_TRUE(header);
    std::string bytes;
    append_content(bytes, 1, *header, body, frame_max);
    frame_reader reader;
    reader.feed(bytes);
    EXPECT_EQ(reader.next()->type, AMQP_FRAME_HEADER);
    std::string together;
    while (const auto part = reader.next()) {
        EXPECT_EQ(part->type, AMQP_FRAME_BODY);
        EXPECT_LE(part->payload.size() + frame_overhead, frame_max);
        together += part->payload;
    }
    EXPECT_EQ(together, body);
}

TEST(encode_properties, takes_what_fits_into_one_frame_and_no_more) {
    constexpr std::size_t frame_max = 131'072;
    const auto with_header_of = [](std::size_t size) {
        const std::string value(size, 'v');
        amqp_table_entry_t entry{.key = bytes_of("h"),
                                 .value = {.kind = AMQP_FIELD_KIND_UTF8, .value = {.bytes = bytes_of(value)}}};
        amqp_basic_properties_t properties{};
        properties._flags = AMQP_BASIC_HEADERS_FLAG;
        properties.headers = {.num_entries = 1, .entries = &entry};
        return encode_properties(properties, 1, frame_max);
    };
    EXPECT_TRUE(with_header_of(131'000));
    EXPECT_LE(with_header_of(131'000)->size() + frame_overhead, frame_max);
    EXPECT_FALSE(with_header_of(131'072));
    EXPECT_FALSE(with_header_of(150'000));
}

}  // namespace
}  // namespace sluice::broker::rabbitmq
