#include <array>
#include <atomic>
#include <condition_variable>
#include <ctime>
#include <set>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <sluice/error.hpp>

#include "integration/webhook/webhook_fixture.hpp"
#include "support/captured_log.hpp"
#include "support/eventually.hpp"
#include "support/tcp_gate.hpp"
#include "support/virtual_clock.hpp"

namespace sluice::broker {
namespace {

using namespace std::chrono_literals;
using sluice::testing::eventually;
using sluice::testing::http_endpoint;
using sluice::testing::http_reply;
using sluice::testing::http_request;
using sluice::testing::reply_with;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

http_endpoint::handler always(http_reply reply) {
    return [reply = std::move(reply)](const http_request&, const std::stop_token&) { return reply; };
}

/// How long a call took.
template <class Call>
auto timed(const Call& call) {
    const auto begin = std::chrono::steady_clock::now();
    auto result = call();
    return std::pair{std::move(result), std::chrono::steady_clock::now() - begin};
}

TEST(webhook_publisher, posts_each_message_in_a_signed_request) {
    http_endpoint endpoint{always(reply_with(204, "sluice-receipt: 17\r\n"))};
    const auto broker = make_local({.uri = endpoint.uri("/hooks/{stream}?x=1"), .secrets = test_secret});
    const auto to = broker->open_publisher();
    const envelope::header_list head{{"ce-type", "Shop.OrderShipped.v1"}};
    const std::vector<outgoing> batch{{.stream = "shop::order",
                                       .message_id = "o-1-0.1",
                                       .key = "o-1",
                                       .body = R"({"a": 1})",
                                       .head = head,
                                       .content_type = "application/json"}};
    const auto verdicts = to->publish(batch, {}, 10s);
    ASSERT_TRUE(is<delivered>(verdicts.at(0)));
    EXPECT_EQ(std::get<delivered>(verdicts[0]).receipt, "17");

    ASSERT_THAT(endpoint.requests(), SizeIs(1));
    const auto got = endpoint.requests()[0];
    EXPECT_EQ(got.target, "/hooks/shop%3A%3Aorder?x=1");
    EXPECT_EQ(got.body, R"({"a": 1})");
    EXPECT_EQ(got.headers.at("webhook-id"), "o-1-0_2E1");
    EXPECT_THAT(got.headers.at("webhook-signature"), HasSubstr("v1,"));
    EXPECT_EQ(got.headers.at("ce-type"), "Shop.OrderShipped.v1");
    EXPECT_EQ(got.headers.at("sluice-key"), "o-1");
    EXPECT_EQ(broker->describe(), "webhook " + endpoint.uri("/hooks/{stream}"));
}

TEST(webhook_publisher, keeps_connections_open_and_sends_the_keys_side_by_side) {
    std::mutex mutex;
    std::condition_variable changed;
    int at_once = 0;
    int most = 0;
    http_endpoint endpoint{[&](const http_request&, const std::stop_token&) {
        std::unique_lock lock{mutex};
        most = std::max(most, ++at_once);
        changed.notify_all();
        changed.wait_for(lock, 30s, [&] { return most >= 4; });
        --at_once;
        return reply_with(200);
    }};
    const auto broker = make_local({.uri = endpoint.uri(), .connections = 4});
    const auto to = broker->open_publisher();
    for (int i = 0; i < 3; ++i) EXPECT_THAT(publish(*to, notes(20)), Each(::testing::Truly(is<delivered>)));
    EXPECT_EQ(most, 4);
    EXPECT_EQ(endpoint.connections(), 4);
    EXPECT_THAT(endpoint.requests(), SizeIs(60));
}

TEST(webhook_publisher, has_one_message_of_a_key_under_way) {
    std::mutex mutex;
    std::set<std::string> under_way;
    std::atomic<int> overlaps = 0;
    http_endpoint endpoint{[&](const http_request& request, const std::stop_token&) {
        const std::string key = request.headers.at("sluice-key");
        {
            const std::lock_guard lock{mutex};
            if (!under_way.insert(key).second) ++overlaps;
        }
        std::this_thread::sleep_for(1ms);
        const std::lock_guard lock{mutex};
        under_way.erase(key);
        return reply_with(200);
    }};
    const auto broker = make_local({.uri = endpoint.uri()});
    EXPECT_THAT(publish(*broker->open_publisher(), notes(60, 3)), Each(::testing::Truly(is<delivered>)));
    EXPECT_EQ(overlaps, 0);
    std::map<std::string, int> last;
    for (const auto& each : endpoint.requests()) {
        const int number = std::stoi(each.body);
        EXPECT_LT(last.try_emplace(each.headers.at("sluice-key"), -1).first->second, number);
        last[each.headers.at("sluice-key")] = number;
    }
}

// What is left of ten rows of three keys after each status.
TEST(webhook_publisher, judges_by_the_status_alone) {
    struct expectation {
        int status;
        std::size_t delivered;
        std::size_t refused;
    };
    for (const auto& [status, delivered_rows, refused_rows] :
         {expectation{200, 10, 0}, expectation{299, 10, 0}, expectation{400, 0, 3}, expectation{413, 0, 3},
          expectation{415, 0, 3}, expectation{422, 0, 3}, expectation{301, 0, 0}, expectation{307, 0, 0},
          expectation{401, 0, 0}, expectation{403, 0, 0}, expectation{404, 0, 0}, expectation{405, 0, 0},
          expectation{410, 0, 0}, expectation{408, 0, 0}, expectation{425, 0, 0}, expectation{429, 0, 0},
          expectation{500, 0, 0}, expectation{503, 0, 0}}) {
        http_endpoint endpoint{always(reply_with(status, "Location: http://127.0.0.1:1/\r\n", "so it is"))};
        const auto broker = make_local({.uri = endpoint.uri(), .connections = 2});
        const auto verdicts = publish(*broker->open_publisher(), notes(10, 3));
        EXPECT_EQ(std::ranges::count_if(verdicts, is<delivered>), delivered_rows) << status;
        EXPECT_EQ(std::ranges::count_if(verdicts, is<refused>), refused_rows) << status;
        if (status < 300) continue;
        EXPECT_THAT(told(verdicts[0]), AllOf(HasSubstr(std::to_string(status)), HasSubstr("so it is")));
        if (refused_rows == 0) {
            EXPECT_LE(endpoint.requests().size(), 4U) << "an endpoint that fails is left alone";
        }
    }
}

TEST(webhook_publisher, lets_other_keys_pass_a_message_that_the_endpoint_cannot_digest) {
    http_endpoint endpoint{[](const http_request& request, const std::stop_token&) {
        return reply_with(request.body == "3" ? 500 : 200);
    }};
    const auto broker = make_local({.uri = endpoint.uri()});
    const auto verdicts = publish(*broker->open_publisher(), notes(20));
    EXPECT_EQ(std::ranges::count_if(verdicts, is<delivered>), 19);
    EXPECT_TRUE(is<unreachable>(verdicts[3]));
}

TEST(webhook_publisher, waits_as_long_as_the_endpoint_asks) {
    std::atomic<bool> busy = true;
    http_endpoint endpoint{[&](const http_request&, const std::stop_token&) {
        return busy ? reply_with(429, "Retry-After: 20\r\n") : reply_with(200);
    }};
    sluice::testing::virtual_clock clock;
    const auto broker = make_local({.uri = endpoint.uri(), .connections = 1, .time = &clock});
    const auto to = broker->open_publisher();
    EXPECT_THAT(told(publish(*to, notes(5)).at(0)), HasSubstr("429"));
    busy = false;
    EXPECT_THAT(told(publish(*to, notes(5)).at(0)), HasSubstr("asked to be left alone"));
    EXPECT_THAT(to->probe(1s), HasSubstr("asked to be left alone"));
    EXPECT_THAT(endpoint.requests(), SizeIs(1));
    clock.advance(19s);
    EXPECT_THAT(to->probe(1s), HasSubstr("asked to be left alone"));
    clock.advance(2s);
    EXPECT_EQ(to->probe(10s), "");
    EXPECT_TRUE(is<delivered>(publish(*to, notes(5)).at(0)));
}

TEST(webhook_publisher, passes_over_interim_answers) {
    http_endpoint endpoint{[](const http_request& request, const std::stop_token&) {
        auto reply = reply_with(request.body == "1" ? 422 : 200);
        reply.bytes = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + reply.bytes;
        return reply;
    }};
    const auto broker = make_local({.uri = endpoint.uri(), .connections = 1});
    const auto verdicts = publish(*broker->open_publisher(), notes(3));
    EXPECT_TRUE(is<delivered>(verdicts[0]));
    EXPECT_TRUE(is<refused>(verdicts[1])) << "each message has the answer to its own request";
    EXPECT_TRUE(is<delivered>(verdicts[2]));
}

TEST(webhook_publisher, believes_a_status_whatever_follows_it) {
    const std::string status = "HTTP/1.1 200 OK\r\n";
    for (const auto& reply :
         {http_reply{.bytes = status + "Content-Length: 9000000\r\n\r\n" + std::string(100'000, 'x')},
          http_reply{.bytes = status + "X: " + std::string(70'000, 'x') + "\r\n\r\n"},
          http_reply{.bytes = status + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"},
          http_reply{.bytes = status + "Content-Length: 500\r\n\r\nhalf", .close = true},
          http_reply{.bytes = status + "\r\nno length, and no end"},
          http_reply{.bytes = "HTTP/1.0 200 OK\r\n\r\nold", .close = true}}) {
        http_endpoint endpoint{always(reply)};
        const auto broker = make_local({.uri = endpoint.uri(), .connections = 1});
        const auto [verdicts, took] = timed([&] { return publish(*broker->open_publisher(), notes(3)); });
        EXPECT_THAT(verdicts, Each(::testing::Truly(is<delivered>))) << reply.bytes.substr(0, 60);
        EXPECT_LT(took, 30s);
        EXPECT_THAT(endpoint.requests(), SizeIs(3)) << "none is sent twice";
    }
}

TEST(webhook_publisher, sends_again_over_a_new_connection_what_met_a_closed_one) {
    http_endpoint endpoint{[](const http_request&, const std::stop_token&) {
        auto reply = reply_with(200);
        reply.close = true;  // without saying so
        return reply;
    }};
    const auto broker = make_local({.uri = endpoint.uri(), .connections = 1});
    const auto to = broker->open_publisher();
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(is<delivered>(publish(*to, notes(1)).at(0))) << i;
    EXPECT_THAT(endpoint.requests(), SizeIs(50));
}

// The request was written, and the connection ends before the answer begins: on a used connection that is an old one
// that the server gave up, on a new one it is a failure.
TEST(webhook_publisher, sends_again_at_once_only_over_a_connection_that_had_been_used) {
    http_endpoint endpoint{[](const http_request& request, const std::stop_token&) {
        if (request.body == "1" && request.connection == 1) return http_reply{.close = true};
        return reply_with(200);
    }};
    const auto broker = make_local({.uri = endpoint.uri(), .connections = 1});
    EXPECT_THAT(publish(*broker->open_publisher(), notes(2)), Each(::testing::Truly(is<delivered>)));
    ASSERT_THAT(endpoint.bodies(), ElementsAre("0", "1", "1"));
    const auto requests = endpoint.requests();
    EXPECT_EQ(requests[1].headers.at("webhook-id"), requests[2].headers.at("webhook-id"));

    http_endpoint broken{always({.close = true})};
    const auto other = make_local({.uri = broken.uri(), .connections = 1});
    EXPECT_THAT(told(publish(*other->open_publisher(), notes(2)).at(0)), HasSubstr("closed"));
    EXPECT_THAT(broken.requests(), SizeIs(1));
}

TEST(webhook_publisher, does_not_send_again_what_is_still_under_way) {
    std::mutex mutex;
    std::condition_variable changed;
    bool answers = false;
    http_endpoint endpoint{[&](const http_request&, const std::stop_token&) {
        std::unique_lock lock{mutex};
        changed.wait_for(lock, 60s, [&] { return answers; });
        return reply_with(200);
    }};
    const auto broker = make_local({.uri = endpoint.uri(), .connections = 2});
    const auto to = broker->open_publisher();
    const std::vector<note> batch{{.id = "a", .key = "k", .body = "1"}, {.id = "b", .key = "k", .body = "2"}};
    const auto [given_up, took] = timed([&] { return publish(*to, batch, 200ms); });
    EXPECT_THAT(given_up, Each(::testing::Truly(is<unreachable>)));
    EXPECT_LT(took, 30s);
    EXPECT_THAT(publish(*to, batch, 200ms), Each(::testing::Truly(is<unreachable>)));
    {
        const std::lock_guard lock{mutex};
        answers = true;
    }
    changed.notify_all();
    EXPECT_THAT(publish(*to, batch), Each(::testing::Truly(is<delivered>)));
    EXPECT_THAT(endpoint.bodies(), ElementsAre("1", "2"));
}

TEST(webhook_publisher, sends_again_in_order_what_was_never_answered) {
    std::atomic<int> silent = 1;
    http_endpoint endpoint{[&](const http_request&, const std::stop_token&) {
        return silent-- > 0 ? http_reply{.silent = true} : reply_with(200);
    }};
    const auto broker = make_local({.uri = endpoint.uri(), .secrets = test_secret, .answer_timeout = 300ms});
    const auto to = broker->open_publisher();
    const std::vector<note> batch{{.id = "a", .key = "k", .body = "1"}, {.id = "b", .key = "k", .body = "2"}};
    const auto first = publish(*to, batch);
    EXPECT_THAT(first, Each(::testing::Truly(is<unreachable>)));
    EXPECT_THAT(told(first[0]), HasSubstr("no answer came in time"));
    EXPECT_THAT(publish(*to, batch), Each(::testing::Truly(is<delivered>)));
    ASSERT_THAT(endpoint.bodies(), ElementsAre("1", "1", "2"));
    EXPECT_EQ(endpoint.requests()[0].headers.at("webhook-id"), endpoint.requests()[1].headers.at("webhook-id"));
}

TEST(webhook_publisher, gives_up_in_time_wherever_the_endpoint_hangs) {
    http_endpoint silent{always({.silent = true})};
    http_endpoint half{[](const http_request&, const std::stop_token& stop) {
        while (!stop.stop_requested()) std::this_thread::sleep_for(5ms);
        return http_reply{};
    }};
    http_endpoint behind{always(reply_with(200))};
    sluice::testing::tcp_gate gate{behind.port()};
    gate.stall(true);
    const std::string stalled = "http://127.0.0.1:" + std::to_string(gate.port()) + "/";
    const std::string stalled_tls = "https://127.0.0.1:" + std::to_string(gate.port()) + "/";
    for (const auto& uri : {silent.uri(), half.uri(), stalled, stalled_tls}) {
        const auto broker = make_local({.uri = uri, .connect_timeout = 300ms, .answer_timeout = 300ms});
        const auto [verdicts, took] = timed([&] { return publish(*broker->open_publisher(), notes(3), 60s); });
        EXPECT_THAT(verdicts, Each(::testing::Truly(is<unreachable>))) << uri;
        EXPECT_LT(took, 30s) << uri;
    }
}

TEST(webhook_publisher, says_once_when_the_clocks_differ) {
    const auto answered_at = [](duration ago) {
        const std::chrono::sys_seconds at{
            std::chrono::duration_cast<std::chrono::seconds>(duration{(system_clock().now() - ago).micros()})};
        const std::time_t seconds = at.time_since_epoch().count();
        std::tm parts{};
        ::gmtime_r(&seconds, &parts);
        std::array<char, 64> text{};
        std::strftime(text.data(), text.size(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
        return std::string{text.data()};
    };
    for (const auto& [ago, times] : {std::pair{duration{1min}, 0}, std::pair{duration{10min}, 1}}) {
        sluice::testing::captured_log log;
        http_endpoint endpoint{always(reply_with(200, answered_at(ago)))};
        const auto broker = make_local({.uri = endpoint.uri()});
        EXPECT_THAT(publish(*broker->open_publisher(), notes(5)), Each(::testing::Truly(is<delivered>)));
        const std::string text = log.text();
        int told = 0;
        for (auto at = text.find("webhook.clock_differs"); at != std::string::npos;
             at = text.find("webhook.clock_differs", at + 1)) {
            ++told;
        }
        EXPECT_EQ(told, times);
    }
}

TEST(webhook_publisher, is_ended_by_another_thread) {
    http_endpoint silent{always({.silent = true})};
    const auto broker = make_local({.uri = silent.uri()});
    const auto to = broker->open_publisher();
    const std::jthread other{[&] {
        static_cast<void>(eventually([&] { return !silent.requests().empty(); }));
        to->hurry(50ms);
    }};
    const auto [verdicts, took] = timed([&] { return publish(*to, notes(1), 120s); });
    EXPECT_TRUE(is<unreachable>(verdicts.at(0)));
    EXPECT_LT(took, 90s);
}

TEST(webhook_publisher, says_why_nobody_answers) {
    std::string uri;
    {
        http_endpoint gone{always(reply_with(200))};
        uri = gone.uri();
    }
    const auto broker = make_local({.uri = uri + "?token=hunter2"});
    const auto to = broker->open_publisher();
    EXPECT_THAT(told(publish(*to, notes(1)).at(0)),
                AllOf(HasSubstr(uri), HasSubstr("refused"), Not(HasSubstr("hunter2"))));
    EXPECT_THAT(to->probe(1s), HasSubstr("refused"));
}

TEST(webhook_publisher, connects_to_no_address_of_a_private_network) {
    http_endpoint endpoint{always(reply_with(200))};
    for (const std::string host : {"127.0.0.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "localhost", "0.0.0.0"}) {
        const auto broker =
            make_webhook_broker({.uri = "http://" + host + ":" + std::to_string(endpoint.port()) + "/"});
        const auto to = broker->open_publisher();
        EXPECT_THAT(told(publish(*to, notes(1)).at(0)), HasSubstr("allow_private")) << host;
        EXPECT_THAT(to->probe(1s), HasSubstr("allow_private")) << host;
    }
    EXPECT_EQ(endpoint.connections(), 0);
}

net::socket_address ipv4(const char* text, std::uint16_t port) {
    net::socket_address made;
    sockaddr_in of{};
    of.sin_family = AF_INET;
    of.sin_port = htons(port);
    ::inet_pton(AF_INET, text, &of.sin_addr);
    std::memcpy(&made.storage, &of, sizeof of);
    made.size = sizeof of;
    return made;
}

// A name that is of the public internet when it is checked, and of this machine when it is connected to.
TEST(webhook_publisher, judges_the_addresses_of_each_connection_anew) {
    http_endpoint endpoint{always(reply_with(200))};
    int lookups = 0;
    const auto broker = make_webhook_broker(
        {.uri = "http://partner.example:" + std::to_string(endpoint.port()) + "/",
         .connect_timeout = 300ms,
         .lookup = [&](const std::string& host, std::uint16_t port) -> std::vector<net::socket_address> {
             EXPECT_EQ(host, "partner.example");
             // A public address that leads nowhere, beside one of this machine; then only the latter.
             if (++lookups == 1) return {ipv4("192.0.3.1", port), ipv4("127.0.0.1", port)};
             return {ipv4("127.0.0.1", port)};
         }});
    const auto to = broker->open_publisher();
    EXPECT_TRUE(is<unreachable>(publish(*to, notes(1)).at(0)));
    EXPECT_THAT(told(publish(*to, notes(1)).at(0)), HasSubstr("127.0.0.1 (loopback)"));
    EXPECT_EQ(lookups, 2);
    EXPECT_EQ(endpoint.connections(), 0);
}

TEST(webhook_publisher, takes_no_proxy_from_the_environment) {
    http_endpoint endpoint{always(reply_with(200))};
    http_endpoint proxy{always(reply_with(200))};
    for (const char* name : {"http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"}) {
        ::setenv(name, proxy.uri("").c_str(), 1);
    }
    const auto broker = make_local({.uri = endpoint.uri()});
    EXPECT_TRUE(is<delivered>(publish(*broker->open_publisher(), notes(1)).at(0)));
    for (const char* name : {"http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"}) ::unsetenv(name);
    EXPECT_EQ(proxy.connections(), 0);
}

TEST(webhook_publisher, refuses_wrong_settings_and_shows_no_secret) {
    const auto error_of = [](webhook_options options) -> std::string {
        try {
            static_cast<void>(make_webhook_broker(std::move(options)));
        } catch (const configuration_error& wrong) {
            return wrong.what();
        }
        return {};
    };
    EXPECT_THAT(error_of({.uri = "https://a/", .secrets = "hunter2"}),
                AllOf(HasSubstr("webhook secret 1"), Not(HasSubstr("hunter2"))));
    EXPECT_THAT(error_of({.uri = "https://a/", .secrets_file = "/nonexistent/secrets"}), HasSubstr("/nonexistent/"));
    EXPECT_THAT(error_of({.uri = "https://a/", .authorization = "Bearer hunter2\n"}),
                AllOf(HasSubstr("line ends"), Not(HasSubstr("hunter2"))));
    EXPECT_THAT(error_of({.uri = "https://a/", .tls = {.ca_file = "/nonexistent/ca.pem"}}),
                HasSubstr("/nonexistent/ca.pem"));
}

TEST(webhook_publisher, carries_large_bodies) {
    http_endpoint endpoint{always(reply_with(200))};
    const auto broker = make_local({.uri = endpoint.uri(), .connections = 3});
    std::vector<note> batch;
    for (int i = 0; i < 6; ++i) {
        const auto name = std::to_string(i);
        batch.push_back({.id = name, .key = name, .body = std::string(3'000'000, 'x')});
    }
    EXPECT_THAT(publish(*broker->open_publisher(), batch), Each(::testing::Truly(is<delivered>)));
    for (const auto& each : endpoint.bodies()) EXPECT_EQ(each.size(), 3'000'000U);
}

TEST(webhook_publisher, takes_an_early_refusal_of_a_large_body_for_what_it_is) {
    // Answers at the head, and closes without reading the body.
    http_endpoint endpoint{always(reply_with(200))};
    const base::unique_fd listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    auto at = ipv4("127.0.0.1", 0);
    ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&at.storage), at.size), 0);
    ASSERT_EQ(::listen(listener.get(), 8), 0);
    ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&at.storage), &at.size), 0);
    sockaddr_in bound{};
    std::memcpy(&bound, &at.storage, sizeof bound);
    const std::jthread server{[&] {
        const base::unique_fd client{::accept(listener.get(), nullptr, nullptr)};
        char byte = 0;
        static_cast<void>(::recv(client.get(), &byte, 1, 0));
        const std::string answer = "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig";
        static_cast<void>(::send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL));
        ::shutdown(client.get(), SHUT_WR);
        while (::recv(client.get(), &byte, 1, MSG_DONTWAIT) > 0) continue;
    }};
    const auto broker = make_local({.uri = "http://127.0.0.1:" + std::to_string(ntohs(bound.sin_port)) + "/"});
    const auto verdict = publish(*broker->open_publisher(), {{.id = "a", .body = std::string(8'000'000, 'x')}}).at(0);
    EXPECT_EQ(std::get<refused>(verdict).code, "http_413");
}

}  // namespace
}  // namespace sluice::broker
