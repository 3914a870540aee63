#include "net/linger.hpp"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <memory>
#include <string>

namespace sluice::net {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using asio::ip::tcp;
using boost::system::error_code;

/// A client, and the connection to it, on which an answer was given.
class linger_test : public ::testing::Test {
protected:
    void SetUp() override {
        tcp::acceptor at{io_, {asio::ip::address_v4::loopback(), 0}};
        client_.connect(at.local_endpoint());
        connection_ = std::make_shared<boost::beast::tcp_stream>(at.accept());
        asio::write(*connection_, asio::buffer("answer", 6));
    }

    asio::io_context io_;
    tcp::socket client_{io_};
    std::shared_ptr<boost::beast::tcp_stream> connection_;
};

TEST_F(linger_test, a_client_that_sends_much_before_it_reads_gets_its_answer) {
    const std::string much(32'000'000, 'x');
    error_code sent = asio::error::would_block;
    error_code ended = asio::error::would_block;
    std::string answer;
    asio::async_write(client_, asio::buffer(much), [&](error_code problem, std::size_t) {
        sent = problem;
        asio::async_read(client_, asio::dynamic_buffer(answer), [&](error_code end, std::size_t) {
            ended = end;
            client_.close();
        });
    });
    linger(std::move(connection_), 60s);
    io_.run();
    EXPECT_EQ(sent, error_code{});
    EXPECT_EQ(answer, "answer");
    EXPECT_EQ(ended, asio::error::eof);
}

TEST_F(linger_test, a_client_that_does_not_end_is_left_after_its_time) {
    const std::weak_ptr<boost::beast::tcp_stream> left = connection_;
    linger(std::move(connection_), 10ms);
    io_.run();
    EXPECT_TRUE(left.expired());
}

}  // namespace
}  // namespace sluice::net
