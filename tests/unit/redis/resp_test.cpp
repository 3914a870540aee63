#include "broker/redis/resp.hpp"

#include <gtest/gtest.h>

#include "broker/redis/entry_id.hpp"
#include "broker/redis/outage.hpp"

namespace sluice::broker::redis {
namespace {

using namespace std::string_view_literals;

reply read(std::string_view bytes) {
    reply_reader reader;
    reader.feed(bytes);
    return reader.next().value();
}

TEST(resp, writes_commands_byte_for_byte) {
    commands two;
    two.add("XADD", std::string{"s"}, "*", "data", std::string_view{"a\r\n\0", 4});
    two.begin(2).part("COUNT").part(-12);
    EXPECT_EQ(two.bytes(),
              "*5\r\n$4\r\nXADD\r\n$1\r\ns\r\n$1\r\n*\r\n$4\r\ndata\r\n$4\r\na\r\n\0\r\n"
              "*2\r\n$5\r\nCOUNT\r\n$3\r\n-12\r\n"sv);
    EXPECT_EQ(two.count(), 2U);
}

TEST(resp, reads_replies_however_they_are_cut) {
    constexpr auto all = "+QUEUED\r\n-OOM no\r\n:42\r\n$-1\r\n*-1\r\n*2\r\n$3\r\na\0b\r\n*1\r\n:7\r\n"sv;
    for (std::size_t step = 1; step < 9; ++step) {
        reply_reader reader;
        std::vector<reply> replies;
        for (std::size_t at = 0; at < all.size(); at += step) {
            reader.feed(all.substr(at, step));
            while (auto next = reader.next()) replies.push_back(*next);
        }
        ASSERT_EQ(replies.size(), 6U) << step;
        EXPECT_TRUE(replies[0].is_status("QUEUED"));
        EXPECT_TRUE(replies[1].is_error());
        EXPECT_EQ(replies[1].text(), "OOM no");
        EXPECT_EQ(replies[2].integer(), 42);
        EXPECT_TRUE(replies[3].is_nil());
        EXPECT_TRUE(replies[4].is_nil());
        EXPECT_EQ(replies[4].size(), 0U);
        EXPECT_EQ(replies[5][0].text(), std::string_view("a\0b", 3));
        EXPECT_EQ(replies[5][1][0].integer(), 7);
    }
}

TEST(resp, complains_about_what_it_did_not_expect) {
    EXPECT_THROW(static_cast<void>(read("+OK\r\n").integer()), outage);
    EXPECT_THROW(static_cast<void>(read(":1\r\n").text()), outage);
    EXPECT_THROW(static_cast<void>(read("+OK\r\n").size()), outage);
    EXPECT_THROW(static_cast<void>(read("*1\r\n:1\r\n")[1]), outage);
    EXPECT_THROW(static_cast<void>(read("HTTP/1.1 400 Bad Request\r\n")), outage);
}

TEST(resp, finds_fields_of_a_flat_list) {
    const auto info = read("*4\r\n$4\r\nname\r\n$1\r\ng\r\n$3\r\nlag\r\n:5\r\n");
    EXPECT_EQ(info.field("lag")->integer(), 5);
    EXPECT_FALSE(info.field("g"));
}

TEST(resp, a_part_keeps_the_whole_alive) {
    const auto part = [] { return read("*1\r\n*1\r\n$5\r\nhello\r\n")[0][0]; }();
    EXPECT_EQ(part.text(), "hello");
}

TEST(redis_entry_id, orders_by_number_and_not_by_text) {
    EXPECT_LT(entry_id::parse("9-5"), entry_id::parse("10-0"));
    EXPECT_LT(entry_id::parse("10-9"), entry_id::parse("10-10"));
    EXPECT_EQ(entry_id::parse("1795421921058-3")->text(), "1795421921058-3");
    for (const char* text : {"", "-", "1", "1-", "-1", "a-1", "1-1x", " 1-1"})
        EXPECT_FALSE(entry_id::parse(text)) << text;
}

}  // namespace
}  // namespace sluice::broker::redis
