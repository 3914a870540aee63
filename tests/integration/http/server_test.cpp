#include "http/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include <sluice/error.hpp>

#include "integration/http/http_client.hpp"

namespace sluice::http {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;
using sluice::testing::http_get;
using sluice::testing::http_response;
using sluice::testing::raw_client;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

http_answer echo(std::string_view path) {
    if (path == "/throw") throw std::runtime_error{"defect"};
    return {.content_type = "text/plain", .body = "this is " + std::string{path}};
}

http_settings on_any_port() { return {.port = 0, .max_connections = 8, .request_time = 300ms}; }

class http_server_test : public ::testing::Test {
protected:
    [[nodiscard]] http_response get(std::string_view path, std::string_view method = "GET") const {
        return http_get(server_.port(), path, method);
    }
    [[nodiscard]] http_response ask(const std::string& request) const {
        const raw_client client{server_.port()};
        client.send(request);
        return client.read_response();
    }

    http_server server_{on_any_port(), echo, "the.key"};
};

TEST_F(http_server_test, answers_a_path_without_its_query) {
    const http_response answer = get("/a/b?c=d");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "this is /a/b");
    EXPECT_THAT(answer.head, AllOf(HasSubstr("Content-Type: text/plain\r\n"), HasSubstr("Content-Length: 12\r\n"),
                                   HasSubstr("Connection: close\r\n"), HasSubstr("Cache-Control: no-store\r\n")));
    EXPECT_EQ(server_.address(), "127.0.0.1:" + std::to_string(server_.port()));
}

TEST_F(http_server_test, answers_head_without_a_body) {
    const http_response answer = get("/a", "HEAD");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "");
    EXPECT_THAT(answer.head, HasSubstr("Content-Length: 10\r\n"));
}

TEST_F(http_server_test, knows_no_other_method) {
    for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"}) {
        const http_response answer = get("/a", method);
        EXPECT_EQ(answer.status, 405) << method;
        EXPECT_EQ(answer.body, R"({"error": "Method Not Allowed"})");
        EXPECT_THAT(answer.head, HasSubstr("Allow: GET, HEAD\r\n"));
    }
}

TEST_F(http_server_test, does_not_wait_for_a_body) {
    EXPECT_EQ(ask("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nabc").status, 405);
    EXPECT_EQ(ask("GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc").status, 200);
}

TEST_F(http_server_test, a_handler_that_throws_is_a_500_and_nothing_more) {
    EXPECT_EQ(get("/throw").status, 500);
    EXPECT_THAT(get("/throw").body, Not(HasSubstr("defect")));
    EXPECT_EQ(get("/a").status, 200);
}

TEST_F(http_server_test, refuses_what_is_no_http) {
    EXPECT_EQ(ask("\x16\x03\x01\x02garbage\r\n\r\n").status, 400);
    EXPECT_EQ(ask("GET /a b c HTTP/1.1\r\n\r\n").status, 400);
    EXPECT_EQ(ask("GET /a HTTP/9.9\r\n\r\n").status, 400);
    EXPECT_EQ(get("/a").status, 200);
}

TEST_F(http_server_test, refuses_headers_that_are_too_large) {
    EXPECT_EQ(ask("GET /a HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n").status, 431);
    EXPECT_EQ(ask("GET /" + std::string(1'000'000, 'x') + " HTTP/1.1\r\n\r\n").status, 431);
    std::string many = "GET /a HTTP/1.1\r\n";
    for (int i = 0; i < 5000; ++i) many += "X-" + std::to_string(i) + ": y\r\n";
    EXPECT_EQ(ask(many + "\r\n").status, 431);
    EXPECT_EQ(get("/a").status, 200);
}

TEST_F(http_server_test, an_empty_request_is_harmless) {
    { const raw_client client{server_.port()}; }
    EXPECT_EQ(get("/a").status, 200);
}

TEST_F(http_server_test, hangs_up_on_a_client_that_takes_its_time) {
    const raw_client slow{server_.port()};
    slow.send("GET /a HT");
    const auto begin = steady::now();
    EXPECT_EQ(slow.read_all(), "");
    EXPECT_LT(steady::now() - begin, 5s);
}

TEST_F(http_server_test, clients_that_send_nothing_do_not_lock_out_a_probe) {
    http_settings patient = on_any_port();
    patient.request_time = 60s;
    const http_server server{patient, echo, "the.key"};
    std::vector<raw_client> idle;
    for (int i = 0; i < 100; ++i) {
        idle.emplace_back(server.port());
        idle.back().send("GET ");
    }
    const auto begin = steady::now();
    EXPECT_EQ(http_get(server.port(), "/a").status, 200);
    for (int i = 0; i < 90; ++i) EXPECT_EQ(idle[static_cast<std::size_t>(i)].read_all(), "");
    EXPECT_LT(steady::now() - begin, 5s) << "the oldest had to make room; nobody waited for their time to run out";
}

TEST_F(http_server_test, a_client_that_does_not_read_its_answer_holds_up_nobody) {
    constexpr std::size_t large = 20'000'000;
    http_settings patient = on_any_port();
    patient.request_time = 10s;
    const http_server big{patient, [](std::string_view) { return http_answer{.body = std::string(large, 'x')}; },
                          "the.key"};
    const raw_client deaf{big.port()};
    deaf.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(http_get(big.port(), "/").body.size(), large);
}

TEST_F(http_server_test, a_port_in_use_is_an_error_that_names_port_and_key) {
    http_settings same = on_any_port();
    same.port = server_.port();
    try {
        const http_server second{same, echo, "server.health.port"};
        FAIL() << "two servers on one port";
    } catch (const configuration_error& e) {
        EXPECT_THAT(e.what(), AllOf(HasSubstr(server_.address()), HasSubstr("(server.health.port)"),
                                    HasSubstr("in use"), HasSubstr("port_auto_increment")));
    }
}

TEST_F(http_server_test, or_the_next_free_one_is_taken) {
    http_settings same = on_any_port();
    same.port = server_.port();
    same.ports_to_try = 100;
    const http_server second{same, echo, "server.health.port"};
    EXPECT_GT(second.port(), server_.port());
    EXPECT_EQ(http_get(second.port(), "/a").status, 200);
}

TEST_F(http_server_test, a_host_that_is_not_ours_is_an_error) {
    http_settings elsewhere = on_any_port();
    elsewhere.host = "192.0.2.1";
    EXPECT_THROW((http_server{elsewhere, echo, "the.key"}), configuration_error);
    elsewhere.host = "no such host";
    EXPECT_THROW((http_server{elsewhere, echo, "the.key"}), configuration_error);
}

}  // namespace
}  // namespace sluice::http
