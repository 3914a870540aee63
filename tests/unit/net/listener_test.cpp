#include "net/listener.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>

namespace sluice::net {
namespace {

using outcome = listener::outcome;

listening_place here(std::uint16_t port = 0, int ports_to_try = 1) {
    return {.host = "127.0.0.1", .port = port, .ports_to_try = ports_to_try};
}

TEST(listener_test, hands_over_each_client_and_no_socket_to_children) {
    boost::asio::io_context io;
    listener one{io};
    ASSERT_EQ(one.listen(here()).is, outcome::listening);
    std::vector<listener::tcp::socket> got;
    one.accept([&](listener::tcp::socket client) { got.push_back(std::move(client)); });
    listener::tcp::socket first{io};
    listener::tcp::socket second{io};
    first.connect(one.where());
    second.connect(one.where());
    while (got.size() < 2) io.run_one();
    for (auto& each : got) EXPECT_EQ(::fcntl(each.native_handle(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST(listener_test, tells_a_port_in_use_and_tries_those_after_it_when_it_may) {
    boost::asio::io_context io;
    listener owner{io};
    ASSERT_EQ(owner.listen(here()).is, outcome::listening);
    const auto port = owner.where().port();
    listener other{io};
    EXPECT_EQ(other.listen(here(port)).is, outcome::address_in_use);
    if (port < 65'435) {
        EXPECT_EQ(other.listen(here(port, 100)).is, outcome::listening);
        EXPECT_GT(other.where().port(), port);
    }
}

TEST(listener_test, tells_what_is_no_address_from_one_of_another_machine) {
    boost::asio::io_context io;
    listener one{io};
    const auto nowhere = one.listen({.host = std::string(64, 'x')});  // too long for a question to a server
    EXPECT_EQ(nowhere.is, outcome::unknown_host);
    EXPECT_TRUE(nowhere.problem);
    EXPECT_EQ(one.listen({.host = "192.0.2.1"}).is, outcome::impossible);
    EXPECT_EQ(one.listen(here()).is, outcome::listening) << "it may be tried again";
}

}  // namespace
}  // namespace sluice::net
