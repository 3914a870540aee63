// Connections with TLS: who is trusted, and who says who he is.

#include <filesystem>

#include "integration/rabbitmq/rabbitmq_fixture.hpp"
#include "support/tcp_gate.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::broker::rabbitmq_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class rabbitmq_tls : public rabbitmq_test {
protected:
    [[nodiscard]] std::string outcome(const std::string& uri, const net::tls_trust& trust) const {
        auto encrypted = options();
        encrypted.uri = uri;
        encrypted.tls = trust;
        return told(publish(*make_rabbitmq_broker(encrypted)->open_publisher(), {{.id = "a"}}).at(0));
    }
    std::filesystem::path files_ = node_.certificates();
};

TEST_F(rabbitmq_tls, publishes_to_a_server_that_is_trusted) {
    EXPECT_EQ(outcome(node_.tls_uri(), {.ca_file = files_ / "ca.pem"}), "delivered");
    EXPECT_EQ(outcome(node_.tls_uri(), {.ca_file = files_ / "ca.pem",
                                        .certificate_file = files_ / "client.pem",
                                        .key_file = files_ / "client.key"}),
              "delivered");
    auto by_address = node_.tls_uri();
    by_address.replace(by_address.find("localhost"), 9, "127.0.0.1");
    EXPECT_EQ(outcome(by_address, {.ca_file = files_ / "ca.pem"}), "delivered") << "its certificate names the address";
}

TEST_F(rabbitmq_tls, trusts_nobody_else) {
    EXPECT_THAT(outcome(node_.tls_uri(), {}), AllOf(StartsWith("unreachable"), HasSubstr("certificate")));
    auto by_another_name = node_.tls_uri();
    by_another_name.replace(by_another_name.find("localhost"), 9, "ip6-localhost");
    EXPECT_THAT(outcome(by_another_name, {.ca_file = files_ / "ca.pem"}), StartsWith("unreachable"));
    by_another_name = node_.tls_uri();
    by_another_name.replace(by_another_name.find("localhost"), 9, "127.0.0.2");
    EXPECT_THAT(outcome(by_another_name, {.ca_file = files_ / "ca.pem"}), StartsWith("unreachable"));
    EXPECT_EQ(outcome(node_.tls_uri(), {.verify = false}), "delivered") << "unless that is wanted";
}

TEST_F(rabbitmq_tls, trusts_the_authorities_that_the_file_has_now) {
    const sluice::testing::temporary_directory directory;
    const auto trusted = directory / "trusted.pem";
    const auto trust = [&](const char* whom) {
        std::filesystem::copy_file(files_ / whom, trusted, std::filesystem::copy_options::overwrite_existing);
    };
    const auto uri = node_.tls_uri();
    const auto colon = uri.rfind(':', uri.rfind('/'));
    sluice::testing::tcp_gate gate{static_cast<std::uint16_t>(std::stoi(uri.substr(colon + 1)))};
    auto encrypted = options();
    encrypted.uri = fmt::format("{}:{}{}", uri.substr(0, colon), gate.port(), uri.substr(uri.rfind('/')));
    encrypted.tls = {.ca_file = trusted};
    trust("ca.pem");
    const auto encrypted_broker = make_rabbitmq_broker(encrypted);
    const auto to = encrypted_broker->open_publisher();
    ASSERT_EQ(told(publish(*to, {{.id = "a"}}).at(0)), "delivered");
    trust("client.pem");  // no authority of the server's
    gate.refuse(true);    // which is found at the next connection only
    EXPECT_TRUE(sluice::testing::eventually([&] { return !to->probe(seconds{1}).empty(); }));
    gate.refuse(false);
    for (int again = 0; again < 2; ++again) {
        EXPECT_THAT(told(publish(*to, {{.id = "b"}}).at(0)),
                    AllOf(StartsWith("unreachable"), HasSubstr("certificate")));
    }
    trust("ca.pem");
    EXPECT_EQ(told(publish(*to, {{.id = "b"}}).at(0)), "delivered") << "without a restart";
}

TEST_F(rabbitmq_tls, says_when_the_port_is_that_of_the_other_protocol) {
    EXPECT_THAT(outcome(fmt::format("amqps://guest:guest@127.0.0.1:{}", node_.port()), {.ca_file = files_ / "ca.pem"}),
                StartsWith("unreachable"));
}

}  // namespace
}  // namespace sluice::broker::rabbitmq_test
