#include "net/first_chunk.hpp"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <optional>
#include <string_view>

namespace sluice::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

/// A request whose head has come, and a client that sends the rest.
class first_chunk_test : public ::testing::Test {
protected:
    void SetUp() override {
        asio::local::connect_pair(here_, there_);
        send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        http::read_header(here_, buffer_, parser_);
        async_read_first_chunk(here_, buffer_, [this](error_code problem) { said_ = problem; });
    }

    void send(std::string_view bytes) { asio::write(there_, asio::buffer(bytes)); }
    void run() {
        io_.restart();
        io_.poll();
    }

    asio::io_context io_;
    asio::local::stream_protocol::socket here_{io_};
    asio::local::stream_protocol::socket there_{io_};
    boost::beast::flat_buffer buffer_;
    http::request_parser<http::string_body> parser_;
    std::optional<error_code> said_;
};

TEST_F(first_chunk_test, waits_for_a_last_chunk_that_comes_in_pieces) {
    for (const std::string_view each : {"0", "\r", "\n", "\r"}) {
        send(each);
        run();
        EXPECT_FALSE(said_);
    }
    send("\n");
    run();
    ASSERT_EQ(said_, error_code{});
    http::read(here_, buffer_, parser_);
    EXPECT_EQ(parser_.get().body(), "");
}

TEST_F(first_chunk_test, takes_what_came_with_it) {
    send("2\r\nab\r\n0\r\n\r\n");
    run();
    ASSERT_EQ(said_, error_code{});
    http::read(here_, buffer_, parser_);
    EXPECT_EQ(parser_.get().body(), "ab");
}

TEST_F(first_chunk_test, tells_of_a_client_that_went) {
    send("0\r\n");
    there_.close();
    run();
    EXPECT_EQ(said_, error_code{asio::error::eof});
}

}  // namespace
}  // namespace sluice::net
