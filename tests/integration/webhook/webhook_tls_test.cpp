#include <fmt/format.h>

#include "integration/webhook/webhook_fixture.hpp"
#include "support/shell.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::broker {
namespace {

using namespace std::chrono_literals;
using sluice::testing::http_endpoint;
using sluice::testing::http_reply;
using sluice::testing::http_request;
using sluice::testing::http_tls_files;
using sluice::testing::reply_with;
using ::testing::HasSubstr;

/// Certificates of an authority of our own, for names and for the address of this machine.
class webhook_tls : public ::testing::Test {
protected:
    webhook_tls() {
        const std::string key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        for (const char* ca : {"ca", "other"}) {
            openssl(fmt::format("req -x509 {0} -days 2 -subj /CN={1} -keyout {1}.key -out {1}.pem", key, ca));
        }
        issue("server", "DNS:localhost,IP:127.0.0.1", "-days 2");
        issue("elsewhere", "DNS:elsewhere.example", "-days 2");
        issue("expired", "DNS:localhost,IP:127.0.0.1", "-days -1");
        issue("client", "DNS:client", "-days 2");
    }

    void shell(const std::string& commands) const {
        sluice::testing::run_command("cd " + sluice::testing::shell_word(directory_.path().native()) + " && " +
                                     commands);
    }
    void openssl(const std::string& arguments) const { shell("openssl " + arguments); }
    void issue(const std::string& name, const std::string& names, const std::string& days) const {
        openssl(
            fmt::format("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={0} -keyout {0}.key "
                        "-out {0}.csr",
                        name));
        shell(fmt::format("printf 'subjectAltName={}' > {}.san", names, name));
        openssl(
            fmt::format("x509 -req {1} -in {0}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile {0}.san "
                        "-out {0}.pem",
                        name, days));
    }
    [[nodiscard]] http_tls_files files(const std::string& name, bool asks_for_ours = false) const {
        return {.certificate = directory_ / (name + ".pem"),
                .key = directory_ / (name + ".key"),
                .client_authority = asks_for_ours ? directory_ / "ca.pem" : std::filesystem::path{}};
    }
    [[nodiscard]] std::string send_to(const http_endpoint& endpoint, net::tls_trust trust,
                                      const std::string& host = "localhost") const {
        const auto broker = make_local(
            {.uri = "https://" + host + ":" + std::to_string(endpoint.port()) + "/", .tls = std::move(trust)});
        return told(publish(*broker->open_publisher(), notes(1)).at(0));
    }
    [[nodiscard]] net::tls_trust ours() const { return {.ca_file = directory_ / "ca.pem"}; }

    sluice::testing::temporary_directory directory_;
};

http_reply fine(const http_request& /*request*/, const std::stop_token& /*stop*/) { return reply_with(200); }

TEST_F(webhook_tls, trusts_a_certificate_for_the_host_and_no_other) {
    http_endpoint endpoint{fine, files("server")};
    EXPECT_EQ(send_to(endpoint, ours()), "delivered");
    EXPECT_EQ(send_to(endpoint, ours(), "127.0.0.1"), "delivered");
    EXPECT_THAT(send_to(endpoint, {}), HasSubstr("certificate is not accepted")) << "the system does not know it";
    EXPECT_THAT(send_to(endpoint, {.ca_file = directory_ / "other.pem"}), HasSubstr("certificate is not accepted"));

    http_endpoint elsewhere{fine, files("elsewhere")};
    EXPECT_THAT(send_to(elsewhere, ours()), HasSubstr("certificate is not accepted"));
    EXPECT_THAT(send_to(elsewhere, ours(), "127.0.0.1"), HasSubstr("certificate is not accepted"));
    http_endpoint expired{fine, files("expired")};
    EXPECT_THAT(send_to(expired, ours()), HasSubstr("certificate is not accepted"));
    EXPECT_EQ(elsewhere.requests().size() + expired.requests().size(), 0U) << "nothing was said to them";
}

TEST_F(webhook_tls, shows_our_certificate_to_who_asks_for_it) {
    http_endpoint endpoint{fine, files("server", true)};
    EXPECT_NE(send_to(endpoint, ours()), "delivered");
    auto with_ours = ours();
    with_ours.certificate_file = directory_ / "client.pem";
    with_ours.key_file = directory_ / "client.key";
    EXPECT_EQ(send_to(endpoint, with_ours), "delivered");
}

TEST_F(webhook_tls, reads_renewed_authorities_without_a_restart) {
    http_endpoint endpoint{
        [](const http_request&, const std::stop_token&) { return reply_with(200, "Connection: close\r\n"); },
        files("server")};
    std::filesystem::copy_file(directory_ / "other.pem", directory_ / "trusted.pem");
    const auto broker = make_local({.uri = "https://localhost:" + std::to_string(endpoint.port()) + "/",
                                    .tls = {.ca_file = directory_ / "trusted.pem"}});
    const auto to = broker->open_publisher();
    EXPECT_TRUE(is<unreachable>(publish(*to, notes(1)).at(0)));
    std::filesystem::copy_file(directory_ / "ca.pem", directory_ / "trusted.pem",
                               std::filesystem::copy_options::overwrite_existing);
    EXPECT_TRUE(is<delivered>(publish(*to, notes(1)).at(0)));
    std::filesystem::remove(directory_ / "trusted.pem");
    EXPECT_THAT(told(publish(*to, notes(1)).at(0)), HasSubstr("trusted.pem"));
}

// Our test server ends each connection without the message that TLS has for it.
TEST_F(webhook_tls, needs_no_farewell_after_an_answer) {
    http_endpoint endpoint{[](const http_request&, const std::stop_token&) {
                               return http_reply{.bytes = "HTTP/1.1 200 OK\r\n\r\nno length", .close = true};
                           },
                           files("server")};
    const auto broker =
        make_local({.uri = "https://localhost:" + std::to_string(endpoint.port()) + "/", .tls = ours()});
    const auto verdicts = publish(*broker->open_publisher(), notes(10, 3));
    for (const auto& each : verdicts) EXPECT_TRUE(is<delivered>(each)) << told(each);
}

TEST_F(webhook_tls, carries_large_bodies) {
    http_endpoint endpoint{fine, files("server")};
    const auto broker = make_local(
        {.uri = "https://localhost:" + std::to_string(endpoint.port()) + "/", .connections = 2, .tls = ours()});
    const auto to = broker->open_publisher();
    for (int i = 0; i < 3; ++i) {
        const std::string id = std::to_string(i);
        for (const auto& each : publish(
                 *to, {{.id = id, .key = "a", .body = std::string(3'000'000, 'x')}, {.id = id + "b", .key = "b"}})) {
            EXPECT_TRUE(is<delivered>(each)) << told(each);
        }
    }
    EXPECT_EQ(endpoint.connections(), 2);
}

}  // namespace
}  // namespace sluice::broker
