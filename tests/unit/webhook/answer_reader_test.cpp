#include "broker/webhook/answer_reader.hpp"

#include <gmock/gmock.h>

namespace sluice::broker::webhook {
namespace {

using state = answer_reader::state;
using ::testing::HasSubstr;

/// However the bytes come, what they say is the same.
answer_reader read(std::string_view bytes, std::size_t at_a_time = 1) {
    answer_reader reader;
    while (!bytes.empty()) {
        reader.put(bytes.substr(0, at_a_time));
        bytes.remove_prefix(std::min(at_a_time, bytes.size()));
    }
    return reader;
}

TEST(answer_reader, reads_an_answer_however_it_comes) {
    for (const std::size_t at_a_time : {1U, 2U, 7U, 1000U}) {
        const auto answer = read(
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nSluice-Receipt: 17\r\n"
            "Keep-Alive: timeout=5, max=100\r\nRetry-After: 3\r\n\r\nhello",
            at_a_time);
        EXPECT_EQ(answer.now(), state::complete);
        EXPECT_EQ(answer.head().status, 200U);
        EXPECT_EQ(answer.head().date, "Sun, 06 Nov 1994 08:49:37 GMT");
        EXPECT_EQ(answer.head().receipt, "17");
        EXPECT_EQ(answer.head().retry_after, "3");
        EXPECT_EQ(answer.head().keeps_open_for, duration{std::chrono::seconds{5}});
        EXPECT_TRUE(answer.head().may_be_reused);
        EXPECT_EQ(answer.words(), "hello");
    }
}

TEST(answer_reader, passes_over_interim_answers) {
    const auto answer = read(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
        "HTTP/1.1 204 No Content\r\n\r\n",
        1000);
    EXPECT_EQ(answer.now(), state::complete);
    EXPECT_EQ(answer.head().status, 204U);
    EXPECT_TRUE(answer.head().may_be_reused);

    auto only_interim = read("HTTP/1.1 103 Early Hints\r\n\r\n");
    EXPECT_EQ(only_interim.now(), state::waiting);
    for (int i = 0; i < answer_reader::most_interim_answers; ++i) only_interim.put("HTTP/1.1 103 Early Hints\r\n\r\n");
    EXPECT_EQ(only_interim.now(), state::broken);
    EXPECT_EQ(only_interim.head().status, 0U);
}

TEST(answer_reader, takes_no_change_of_protocol) {
    const auto answer = read("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n");
    EXPECT_EQ(answer.now(), state::broken);
    EXPECT_EQ(answer.head().status, 0U);
    EXPECT_FALSE(answer.head().may_be_reused);
}

TEST(answer_reader, knows_the_status_whatever_follows_its_line) {
    const auto status = [](std::string_view rest) {
        const std::string bytes = "HTTP/1.1 200 OK\r\n" + std::string{rest};
        const auto answer = read(bytes, 1000);
        EXPECT_FALSE(answer.head().may_be_reused && answer.now() == state::complete) << rest.substr(0, 60);
        EXPECT_EQ(read(bytes).head().status, answer.head().status) << "the first line may come in pieces";
        return answer.head().status;
    };
    EXPECT_EQ(status("Content-Length: 9000000000\r\n\r\nx"), 200U);
    EXPECT_EQ(status("X: " + std::string(70'000, 'x') + "\r\n\r\n"), 200U);
    EXPECT_EQ(status("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"), 200U) << "both lengths";
    EXPECT_EQ(status("Content-Length: x\r\n\r\n"), 200U);
    EXPECT_EQ(status("\x01\r\n\r\n"), 200U);
    EXPECT_EQ(status("Transfer-Encoding: chunked\r\n\r\nzz\r\n"), 200U);
    EXPECT_EQ(status("Content-Length: 20000\r\n\r\n" + std::string(20'000, 'x')), 200U);
}

TEST(answer_reader, fills_no_memory) {
    auto endless = read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    int pieces = 0;
    while (endless.now() == state::in_body && ++pieces < 1000) endless.put("400\r\n" + std::string(1024, 'x') + "\r\n");
    EXPECT_EQ(endless.now(), state::broken);
    EXPECT_LE(pieces, 20);
    EXPECT_LE(endless.words().size(), 512U);

    answer_reader no_line;
    for (pieces = 0; no_line.now() == state::waiting && pieces < 1000; ++pieces) no_line.put(std::string(1024, 'x'));
    EXPECT_EQ(no_line.now(), state::broken);

    auto many_lines = read("HTTP/1.1 200 OK\r\n");
    for (pieces = 0; many_lines.now() == state::waiting && pieces < 100'000; ++pieces) many_lines.put("a: b\r\n");
    EXPECT_EQ(many_lines.now(), state::broken);
    EXPECT_LT(pieces, 20'000);

    auto one_chunk_line = read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;");
    for (pieces = 0; one_chunk_line.now() == state::in_body && pieces < 1000; ++pieces) {
        one_chunk_line.put(std::string(1024, 'x'));
    }
    EXPECT_EQ(one_chunk_line.now(), state::broken);
}

TEST(answer_reader, ends_with_the_connection_what_has_no_length) {
    for (const char* each : {"HTTP/1.0 200 OK\r\n\r\nhello", "HTTP/1.1 200 OK\r\n\r\nhello"}) {
        auto answer = read(each);
        EXPECT_EQ(answer.now(), state::in_body);
        EXPECT_FALSE(answer.head().may_be_reused);
        EXPECT_EQ(answer.put_end(), state::complete);
    }
    auto cut = read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
    EXPECT_EQ(cut.put_end(), state::broken);
    EXPECT_EQ(cut.head().status, 200U);
    EXPECT_THAT(cut.trouble(), HasSubstr("middle"));

    answer_reader nothing;
    EXPECT_EQ(nothing.put_end(), state::broken);
    EXPECT_FALSE(nothing.has_begun());
}

TEST(answer_reader, lets_nothing_unasked_for_be_the_answer_to_the_next_request) {
    const auto two = read("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 1000);
    EXPECT_EQ(two.head().status, 204U);
    EXPECT_FALSE(two.head().may_be_reused);
    auto later = read("HTTP/1.1 204 No Content\r\n\r\n");
    EXPECT_EQ(later.put("HTTP/1.1 200 OK\r\n\r\n"), state::broken);
}

TEST(answer_reader, obeys_the_other_sides_wish_to_close) {
    EXPECT_FALSE(read("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").head().may_be_reused);
    EXPECT_FALSE(read("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").head().may_be_reused);
    EXPECT_TRUE(read("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n").head().may_be_reused);
}

TEST(answer_reader, reads_an_empty_body_in_chunks_however_it_comes) {
    for (const std::size_t at_a_time : {1U, 2U, 3U, 4U, 5U, 1000U}) {
        const auto answer = read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", at_a_time);
        EXPECT_EQ(answer.now(), state::complete) << at_a_time;
        EXPECT_TRUE(answer.head().may_be_reused);
        EXPECT_EQ(answer.words(), "");
    }
}

TEST(answer_reader, takes_trailers_for_nothing) {
    const auto answer =
        read("HTTP/1.1 503 X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\nRetry-After: 9\r\n\r\n");
    EXPECT_EQ(answer.now(), state::complete);
    EXPECT_EQ(answer.head().retry_after, "");
    EXPECT_EQ(answer.words(), "no");
}

TEST(answer_reader, is_broken_by_what_is_no_http) {
    for (const char* each : {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n",
                             "\r\n\r\nnothing of it\r\n"}) {
        const auto answer = read(each, 1000);
        EXPECT_EQ(answer.now(), state::broken) << each;
        EXPECT_EQ(answer.head().status, 0U) << each;
    }
}

}  // namespace
}  // namespace sluice::broker::webhook
