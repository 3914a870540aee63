#include "http/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <vector>

#include <sluice/error.hpp>

#include "integration/http/http_client.hpp"
#include "support/eventually.hpp"

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

http_answer echo(const http_request& request) {
    const std::string& path = request.path;
    if (path == "/throw") throw std::runtime_error{"defect"};
    return {.content_type = "text/plain", .body = "this is " + path};
}

http_settings on_any_port() { return {.port = 0, .max_connections = 8, .request_time = 60s}; }

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

TEST_F(http_server_test, a_probe_sees_the_headers_of_its_request) {
    const http_server server{on_any_port(),
                             [](const http_request& request) {
                                 return http_answer{.body = request.method + " " + request.path + "?" + request.query +
                                                            " " + request.list("accept") + request.body};
                             },
                             "the.key"};
    EXPECT_EQ(http_get(server.port(), "/a?b=c", "GET", "Accept: x/y;q=0.5\r\nACCEPT: */*\r\n").body,
              "GET /a?b=c x/y;q=0.5, */*");
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
    http_settings impatient = on_any_port();
    impatient.request_time = 300ms;
    const http_server server{impatient, echo, "the.key"};
    const raw_client slow{server.port()};
    slow.send("GET /a HT");
    const auto begin = steady::now();
    EXPECT_EQ(slow.read_all(), "");
    EXPECT_LT(steady::now() - begin, 30s);
}

TEST_F(http_server_test, clients_that_send_nothing_do_not_lock_out_a_probe) {
    const http_server server{on_any_port(), echo, "the.key"};
    std::vector<raw_client> idle;
    for (int i = 0; i < 100; ++i) {
        idle.emplace_back(server.port());
        idle.back().send("GET ");
    }
    const auto begin = steady::now();
    EXPECT_EQ(http_get(server.port(), "/a").status, 200);
    for (int i = 0; i < 90; ++i) EXPECT_EQ(idle[static_cast<std::size_t>(i)].read_all(), "");
    EXPECT_LT(steady::now() - begin, 50s) << "the oldest had to make room; nobody waited for their time to run out";
}

TEST_F(http_server_test, a_client_that_does_not_read_its_answer_holds_up_nobody) {
    constexpr std::size_t large = 20'000'000;
    const http_server big{on_any_port(),
                          [](const http_request&) { return http_answer{.body = std::string(large, 'x')}; }, "the.key"};
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

/// Something mounted that waits until it is let go.
class mounted_server : public ::testing::Test {
protected:
    ~mounted_server() override { let_go(); }
    mounted_server() = default;
    mounted_server(const mounted_server&) = delete;
    mounted_server& operator=(const mounted_server&) = delete;

    http_answer answer(const http_request& request) {
        if (request.path == "/site/throw") throw std::runtime_error{"defect"};
        if (request.path == "/site/wait") {
            std::unique_lock lock{mutex_};
            ++waiting_;
            changed_.notify_all();
            changed_.wait(lock, [this] { return gone_; });
        }
        return {.content_type = "text/plain",
                .body = request.method + " " + request.path + "?" + request.query + " " + request.body + " " +
                        std::string{request.header("x-twice")} + std::string{request.header("x-once")} + " " +
                        request.client,
                .headers = {{"set-cookie", "a=1"}, {"set-cookie", "b=2"}, {"cache-control", "private"}}};
    }
    void let_go() {
        const std::lock_guard lock{mutex_};
        gone_ = true;
        changed_.notify_all();
    }
    void wait_for_waiting(int count) {
        std::unique_lock lock{mutex_};
        ASSERT_TRUE(changed_.wait_for(lock, 60s, [&] { return waiting_ == count; }));
    }
    [[nodiscard]] http_response ask(const std::string& request) const {
        const raw_client client{server_.port()};
        client.send(request);
        return client.read_response();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    int waiting_ = 0;
    bool gone_ = false;
    http_server server_{{.port = 0, .request_time = 30s},
                        echo,
                        "the.key",
                        {.prefixes = {"/site"},
                         .answer = [this](const http_request& request) { return answer(request); },
                         .max_body_bytes = 100,
                         .max_waiting = 3}};
};

TEST_F(mounted_server, gets_the_whole_request_and_gives_its_own_headers) {
    const http_response answer =
        ask("POST /site/a%20b?c=d HTTP/1.1\r\nHost: x\r\nX-Once: 1\r\nX-Twice: 2\r\nx-twice: 3\r\n"
            "Content-Length: 5\r\n\r\nhello");
    EXPECT_EQ(answer.body, "POST /site/a%20b?c=d hello 1 127.0.0.1");
    EXPECT_THAT(answer.head, AllOf(HasSubstr("set-cookie: a=1\r\n"), HasSubstr("set-cookie: b=2\r\n")));
    EXPECT_THAT(answer.head, Not(HasSubstr("no-store")));
    EXPECT_EQ(http_get(server_.port(), "/site", "HEAD").body, "");
    EXPECT_EQ(http_get(server_.port(), "/sites").body, "this is /sites") << "another path";
    EXPECT_EQ(http_get(server_.port(), "/site/throw").status, 500);
}

TEST_F(mounted_server, gets_a_body_in_chunks_however_it_comes) {
    const std::string head = "POST /site HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    EXPECT_EQ(ask(head + "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n").body, "POST /site? hello  127.0.0.1");
    const raw_client slow{server_.port()};
    slow.send(head);
    for (const char each : std::string_view{"0\r\n\r\n"}) slow.send({&each, 1});
    EXPECT_EQ(slow.read_response().body, "POST /site?   127.0.0.1");
}

TEST_F(mounted_server, refuses_a_body_that_is_too_large_before_it_has_come) {
    EXPECT_EQ(ask("POST /site HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n").status, 413);
    EXPECT_EQ(ask("POST /site HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" +
                  std::string(0x65, 'a') + "\r\n0\r\n\r\n")
                  .status,
              413);
}

TEST_F(mounted_server, lets_a_client_read_its_answer_whatever_it_goes_on_sending) {
    const raw_client client{server_.port()};
    client.send("POST /site HTTP/1.1\r\nHost: x\r\nContent-Length: 32000000\r\n\r\n");
    EXPECT_TRUE(client.send(std::string(32'000'000, 'x'))) << "more than any buffer takes";
    EXPECT_EQ(client.read_response().status, 413);
}

TEST_F(mounted_server, delays_no_probe_and_turns_away_what_is_too_much) {
    std::vector<std::unique_ptr<raw_client>> clients;
    for (int i = 0; i < 3; ++i) {
        clients.push_back(std::make_unique<raw_client>(server_.port()));
        clients.back()->send("GET /site/wait HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    wait_for_waiting(2);  // there are two threads
    EXPECT_EQ(http_get(server_.port(), "/healthz").status, 200);
    // The third may still be on its way.
    EXPECT_TRUE(testing::eventually([&] { return http_get(server_.port(), "/site/more").status == 503; }, 60s));
    EXPECT_FALSE(server_.leave(1ms)) << "two are being answered";
    let_go();
    EXPECT_TRUE(server_.leave(60s));
    EXPECT_EQ(http_get(server_.port(), "/site").status, 503);
    EXPECT_EQ(http_get(server_.port(), "/healthz").status, 200);
}

}  // namespace
}  // namespace sluice::http
