#include "http/server_tls.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <string>

#include <sluice/error.hpp>

#include "integration/http/http_client.hpp"
#include "support/shell.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::http {
namespace {

using namespace std::chrono_literals;
using sluice::testing::http_get;
using sluice::testing::http_response;
using sluice::testing::raw_client;
using sluice::testing::run_command;
using sluice::testing::shell_word;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

http_answer probes(const http_request& request) {
    return {.content_type = "text/plain", .body = "probe " + request.path};
}

/// A site below /site, and a certificate that curl is told to trust. The client is curl.
class server_tls : public ::testing::Test {
protected:
    server_tls() { make_key("server", ""); }

    void make_key(const std::string& name, const std::string& further) const {
        run_command(
            fmt::format("cd {} && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 {} -days 2 "
                        "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout {}.key -out {}.pem 2>&1",
                        shell_word(directory_.path().native()), further.empty() ? "-nodes" : further, name, name));
    }
    [[nodiscard]] server_certificate files(const std::string& certificate = "server",
                                           const std::string& key = "server") const {
        return {directory_ / (certificate + ".pem"), directory_ / (key + ".key")};
    }
    [[nodiscard]] http_mount site() const {
        return {.prefixes = {"/site"},
                .answer =
                    [](const http_request& request) {
                        return http_answer{.content_type = "text/plain",
                                           .body = (request.is_encrypted ? "secret " : "open ") + request.method + " " +
                                                   std::to_string(request.body.size())};
                    },
                .certificate = files()};
    }
    [[nodiscard]] static http_settings on_any_port() { return {.port = 0, .max_connections = 8, .request_time = 60s}; }
    /// What curl prints: the body and the status.
    [[nodiscard]] std::string curl(const http_server& server, const std::string& path,
                                   const std::string& options = "") const {
        return run_command(fmt::format("curl -sS --max-time 60 --cacert {} {} -w ' %{{http_code}}' https://{}{}",
                                       shell_word((directory_ / "server.pem").native()), options, server.address(),
                                       path));
    }

    testing::temporary_directory directory_;
};

TEST_F(server_tls, the_site_is_served_over_tls) {
    const http_server server{on_any_port(), probes, "the.key", site()};
    EXPECT_EQ(curl(server, "/site/a"), "secret GET 0 200");
    EXPECT_EQ(curl(server, "/site/a", "--tls-max 1.2"), "secret GET 0 200");
}

TEST_F(server_tls, bodies_of_any_size_come_and_go_over_tls) {
    const http_server server{on_any_port(), probes, "the.key", site()};
    const auto body = directory_ / "body";
    std::ofstream{body} << std::string(1'000'000, 'x');
    EXPECT_EQ(curl(server, "/site/a", "-H Expect: --data-binary @" + shell_word(body.native())),
              "secret POST 1000000 200");
    std::ofstream{body} << std::string(1'100'000, 'x');
    EXPECT_THAT(curl(server, "/site/a", "-H Expect: --data-binary @" + shell_word(body.native())),
                AllOf(HasSubstr("Payload Too Large"), HasSubstr(" 413")))
        << "though nobody has read what it sends";
}

TEST_F(server_tls, probes_are_answered_with_and_without_tls_on_the_same_port) {
    const http_server server{on_any_port(), probes, "the.key", site()};
    EXPECT_EQ(curl(server, "/healthz"), "probe /healthz 200");
    EXPECT_EQ(http_get(server.port(), "/healthz").body, "probe /healthz");
}

TEST_F(server_tls, who_asks_for_the_site_without_tls_is_sent_to_it) {
    const http_server server{on_any_port(), probes, "the.key", site()};
    const auto ask = [&](const std::string& request) {
        const raw_client client{server.port()};
        client.send(request);
        return client.read_response();
    };
    const http_response sent = ask("GET /site/a?b=c HTTP/1.1\r\nHost: console.example:8080\r\n\r\n");
    EXPECT_EQ(sent.status, 307);
    EXPECT_THAT(sent.head, HasSubstr("Location: https://console.example:8080/site/a?b=c\r\n"));
    for (const char* request :
         {"POST /site/a HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nsecret", "GET /site/a HTTP/1.1\r\n\r\n",
          "GET /site/a HTTP/1.1\r\nHost: evil.example/x?\r\n\r\n"}) {
        const http_response refused = ask(request);
        EXPECT_EQ(refused.status, 400) << request;
        EXPECT_THAT(refused.body, HasSubstr("use https://"));
    }
}

TEST_F(server_tls, what_is_no_handshake_ends_and_delays_nobody) {
    http_settings impatient = on_any_port();
    impatient.request_time = 300ms;
    const http_server server{impatient, probes, "the.key", site()};
    const raw_client garbage{server.port()};
    garbage.send("\x16\x03\x01 hello, this is no handshake\r\n\r\n");
    const raw_client hello_of_nobody{server.port()};
    hello_of_nobody.send(std::string{"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03", 11} + std::string(600, 'x'));
    const raw_client silent{server.port()};
    silent.send("\x16\x03\x01");
    EXPECT_THAT(silent.read_all(), "") << "its time is over";
    EXPECT_EQ(garbage.read_response().status, 400) << "it is taken for a request";
    EXPECT_EQ(hello_of_nobody.read_response().status, 0);
    EXPECT_EQ(curl(server, "/site/a"), "secret GET 0 200");
}

TEST_F(server_tls, files_that_cannot_be_used_are_named) {
    make_key("other", "");
    make_key("locked", "-passout pass:secret");
    const auto complaint = [&](const server_certificate& about) -> std::string {
        try {
            static_cast<void>(make_tls(about));
        } catch (const configuration_error& e) {
            return e.what();
        }
        return "none";
    };
    EXPECT_EQ(complaint(files()), "none");
    EXPECT_THAT(complaint(files("missing")),
                AllOf(StartsWith("TLS: cannot use the certificate "), HasSubstr("missing.pem")));
    EXPECT_THAT(complaint(files("server", "other")), AllOf(HasSubstr("other.key"), HasSubstr("key values mismatch")));
    EXPECT_THAT(complaint(files("locked", "locked")), AllOf(HasSubstr("locked.key"), HasSubstr("without a passphrase")))
        << "nobody is asked for it";
}

}  // namespace
}  // namespace sluice::http
