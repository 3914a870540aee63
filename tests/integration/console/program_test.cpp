#include <gmock/gmock.h>

#include <csignal>

#include "console/secrets.hpp"
#include "integration/http/http_client.hpp"
#include "integration/tiny_project.hpp"
#include "support/eventually.hpp"
#include "support/free_port.hpp"
#include "support/shell.hpp"

// The console of the real program, over real sockets.
namespace sluice::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

class console_program : public tiny_project {
protected:
    /// @param server  lines of `[server]`
    /// @param more  sections
    void configure_console(const std::string& server, const std::string& more) const {
        configure(std::string{tiny_configuration} + "health.port = " + std::to_string(port_) + "\n" + server +
                  "\n[console]\nport = " + std::to_string(port_ + 1) + "\n" + more);
    }
    [[nodiscard]] bool answers(int offset) const {
        return eventually([&] { return http_get(port(offset), "/console").status != 0; }, 60s);
    }
    [[nodiscard]] std::uint16_t port(int offset) const { return static_cast<std::uint16_t>(port_ + offset); }
    [[nodiscard]] http_response ask(int offset, const std::string& request) const {
        const raw_client client{port(offset)};
        client.send(request);
        return client.read_response();
    }

    std::uint16_t port_ = free_port(3);
};

TEST_F(console_program, the_server_serves_it_beside_the_probes) {
    configure_console("", "");
    running_program server{{"server"}, settings()};
    ASSERT_TRUE(server.wait_for_text("server.ready"));
    ASSERT_TRUE(answers(0));
    EXPECT_THAT(http_get(port(0), "/console").body, HasSubstr("<h1>Overview</h1>"));
    EXPECT_EQ(http_get(port(0), "/healthz").status, 200);
    EXPECT_EQ(http_get(port(0), "/console", "DELETE").status, 405);
    EXPECT_EQ(http_get(port(0), "/healthz", "POST").status, 405);
    server.signal(SIGTERM);
    EXPECT_EQ(server.finish().code, 0);
}

TEST_F(console_program, stands_alone_and_shows_several_contexts) {
    configure_console("", "");
    std::filesystem::create_directory(directory_ / "other");
    std::ofstream{directory_ / "other/domain.toml"} << "[databases.default]\nprovider = \"memory\"\n"
                                                       "[brokers.default]\nprovider = \"inline\"\n";
    create_counter("c-1");
    running_program console{{"console", "--context", "other/domain.toml"}, settings()};
    ASSERT_TRUE(console.wait_for_text("console on http://127.0.0.1:" + std::to_string(port(1)) + "/console"));
    const std::string page = http_get(port(1), "/console").body;
    EXPECT_THAT(page, HasSubstr("/console/contexts/tiny/rows"));
    EXPECT_THAT(page, HasSubstr("/console/contexts/default/rows"));
    EXPECT_THAT(http_get(port(1), "/console/contexts/tiny/rows").body, HasSubstr("tiny::counter-c-1"));
    EXPECT_EQ(http_get(port(1), "/").status, 303);
    console.signal(SIGTERM);
    EXPECT_EQ(console.finish().code, 0);
}

TEST_F(console_program, refuses_to_start_open_to_others_and_says_how_to_close_it) {
    configure_console("", "host = \"0.0.0.0\"\n");
    const program_result refused = run_sluice({"console"}, settings());
    EXPECT_EQ(refused.code, 3);
    EXPECT_THAT(refused.err, HasSubstr("sluice console password NAME"));
    configure_console("health.host = \"0.0.0.0\"", "enabled = true\n");
    EXPECT_EQ(run_sluice({"server"}, settings()).code, 3);
}

TEST_F(console_program, a_server_whose_probes_are_open_to_others_keeps_the_console_closed) {
    configure_console("health.host = \"0.0.0.0\"", "");
    running_program server{{"server"}, settings()};
    ASSERT_TRUE(server.wait_for_text("console.off"));
    ASSERT_TRUE(server.wait_for_text("server.ready"));
    EXPECT_EQ(http_get(port(0), "/healthz").status, 200);
    EXPECT_EQ(http_get(port(0), "/console").status, 404);
    server.signal(SIGTERM);
    EXPECT_EQ(server.finish().code, 0);
}

TEST_F(console_program, is_served_over_tls_where_it_has_a_certificate) {
    run_command("cd " + shell_word(directory_.path().native()) +
                " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
                " -addext subjectAltName=IP:127.0.0.1 -keyout console.key -out console.pem 2>&1");
    configure_console("", "tls_certificate_file = \"console.pem\"\ntls_key_file = \"console.key\"\n");
    const auto curl = [&](int offset, const std::string& path) {
        return run_command("curl -sS --max-time 60 --cacert " + shell_word((directory_ / "console.pem").native()) +
                           " https://127.0.0.1:" + std::to_string(port(offset)) + path);
    };
    running_program console{{"console"}, settings()};
    ASSERT_TRUE(console.wait_for_text("console on https://127.0.0.1:" + std::to_string(port(1)) + "/console"));
    EXPECT_THAT(curl(1, "/console"), HasSubstr("<h1>Overview</h1>"));
    running_program server{{"server"}, settings()};
    ASSERT_TRUE(server.wait_for_text("server.ready"));
    EXPECT_THAT(curl(0, "/console"), HasSubstr("<h1>Overview</h1>"));
    EXPECT_EQ(http_get(port(0), "/healthz").status, 200) << "probes go on as they are";
    EXPECT_EQ(http_get(port(0), "/console").status, 307);
    for (running_program* each : {&console, &server}) {
        each->signal(SIGTERM);
        EXPECT_EQ(each->finish().code, 0);
    }

    configure_console("", "tls_certificate_file = \"missing.pem\"\ntls_key_file = \"console.key\"\n");
    for (const char* command : {"console", "server"}) {
        const program_result refused = run_sluice({command}, settings());
        EXPECT_EQ(refused.code, 3) << command;
        EXPECT_THAT(refused.err, HasSubstr("missing.pem"));
    }
}

TEST_F(console_program, prints_lines_that_the_configuration_takes) {
    const program_result password =
        run_sluice({"console", "password", "anna", "--role=operator"}, settings(), "correct horse battery\n");
    ASSERT_EQ(password.code, 0) << password.err;
    EXPECT_THAT(password.out, Not(HasSubstr("horse")));
    const program_result token = run_sluice({"console", "token", "ci"}, settings());
    ASSERT_EQ(token.code, 0) << token.err;
    configure_console("", password.out + token.out);
    const program_result shown = run_sluice({"config", "show", "console"}, settings());
    EXPECT_EQ(shown.code, 0) << shown.err;
    EXPECT_THAT(shown.out, Not(HasSubstr("$y$")));
    const auto refused = run_sluice({"console", "password", "anna"}, settings(), "short\n");
    EXPECT_EQ(refused.code, 2);
    EXPECT_THAT(refused.err, HasSubstr("the password has 5 bytes; choose one of 10 to 500"));

    running_program console{{"console"}, settings()};
    ASSERT_TRUE(console.wait_for_text("console on http://"));
    const std::string secret = token.out.substr(token.out.size() - 65, 64);
    const std::string head = "GET /api/v1/session HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ";
    EXPECT_THAT(ask(1, head + secret + "\r\n\r\n").body, HasSubstr(R"("user":"ci")"));
    EXPECT_EQ(ask(1, head + secret.substr(1) + "\r\n\r\n").status, 401);
    EXPECT_EQ(http_get(port(1), "/console").status, 303) << "now there is a way to log in";
}

TEST_F(console_program, oversized_and_slow_requests_end_and_delay_no_probe) {
    configure_console("", "");
    running_program server{{"server"}, settings()};
    ASSERT_TRUE(server.wait_for_text("server.ready"));
    const std::string head =
        "POST /console/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
        "application/x-www-form-urlencoded\r\n";
    EXPECT_EQ(ask(0, head + "Content-Length: 1048577\r\n\r\n").status, 413) << "before a byte of it was sent";
    EXPECT_EQ(
        ask(0, head + "Transfer-Encoding: chunked\r\n\r\n180000\r\n" + std::string(0x180000, 'a') + "\r\n0\r\n\r\n")
            .status,
        413);
    EXPECT_EQ(ask(0, "GET /console HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(10'000, 'x') + "\r\n\r\n").status,
              431);
    std::vector<std::unique_ptr<raw_client>> slow;
    for (int i = 0; i < 40; ++i) {
        slow.push_back(std::make_unique<raw_client>(port(0)));
        slow.back()->send(head + "Content-Length: 1000\r\n\r\na=");
    }
    EXPECT_EQ(http_get(port(0), "/healthz").status, 200);
    EXPECT_EQ(http_get(port(0), "/console").status, 200);
    EXPECT_EQ(slow.front()->read_all(), "") << "the time is over";
    server.signal(SIGTERM);
    EXPECT_EQ(server.finish().code, 0);
}

}  // namespace
}  // namespace sluice::testing
