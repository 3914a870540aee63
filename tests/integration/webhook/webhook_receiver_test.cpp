#include <condition_variable>
#include <csignal>
#include <fstream>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "broker/sqlite/sqlite_broker.hpp"
#include "broker/webhook/receiver.hpp"
#include "broker/webhook/signature.hpp"
#include "integration/http/http_client.hpp"
#include "integration/webhook/webhook_fixture.hpp"
#include "support/consumer.hpp"
#include "support/eventually.hpp"
#include "support/free_port.hpp"
#include "support/shell.hpp"
#include "support/tcp_gate.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::broker {
namespace {

using namespace std::chrono_literals;
using sluice::testing::eventually;
using sluice::testing::raw_client;
using sluice::testing::shell_word;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using webhook::receiver;
using webhook::receiver_settings;

/// Stores nothing before it may.
class gated_publisher final : public publisher {
public:
    explicit gated_publisher(std::unique_ptr<publisher> behind) : behind_{std::move(behind)} {}
    [[nodiscard]] std::vector<verdict> publish(std::span<const outgoing> batch, const producer& from,
                                               duration timeout) override {
        std::unique_lock lock{mutex_};
        changed_.wait_for(lock, 60s, [this] { return open_; });
        return behind_->publish(batch, from, timeout);
    }
    [[nodiscard]] std::string probe(duration timeout) override { return behind_->probe(timeout); }
    void open() {
        const std::lock_guard lock{mutex_};
        open_ = true;
        changed_.notify_all();
    }

private:
    std::unique_ptr<publisher> behind_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = false;
};

class webhook_receiver : public ::testing::Test {
protected:
    [[nodiscard]] std::unique_ptr<broker> inbox() const {
        return make_sqlite_broker({.path = directory_ / "inbox.db"});
    }
    [[nodiscard]] std::unique_ptr<receiver> receive(receiver_settings settings = {},
                                                    std::unique_ptr<publisher> into = nullptr) const {
        if (settings.time == nullptr) settings.time = &system_clock();
        return std::make_unique<receiver>(
            settings,
            webhook::receiving_terms{
                .keys = webhook::read_secrets(test_secret),
                .objection_to = [](const std::string& stream) -> std::optional<webhook::turned_down> {
                    if (stream == "nobody") return webhook::turned_down{404, "nobody reads it"};
                    return std::nullopt;
                }},
            into ? std::move(into) : store_->open_publisher());
    }
    [[nodiscard]] static std::unique_ptr<broker> sender(std::uint16_t port, webhook_options options = {}) {
        options.uri = fmt::format("http://127.0.0.1:{}/{{stream}}", port);
        options.secrets = test_secret;
        return make_local(std::move(options));
    }
    [[nodiscard]] std::vector<delivery> stored(const std::string& stream = "shop::order") const {
        static int groups = 0;
        return sluice::testing::open_consumer(*inbox(), stream,
                                              {.group = "g" + std::to_string(++groups), .consumer = "c"})
            ->read(1'000'000, system_clock().now());
    }
    /// A request that is signed well.
    [[nodiscard]] static std::string request(const std::string& body, const std::string& id = "msg_1",
                                             const std::string& more = "Connection: close\r\n",
                                             const std::string& path = "/shop::order") {
        const auto timestamp = webhook::timestamp_text(system_clock().now());
        return fmt::format(
            "POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\nwebhook-id: {}\r\nwebhook-timestamp: {}\r\n"
            "webhook-signature: {}\r\n{}\r\n{}",
            path, body.size(), id, timestamp, webhook::sign(id, timestamp, body, webhook::read_secrets(test_secret)),
            more, body);
    }
    [[nodiscard]] static sluice::testing::http_response post(std::uint16_t port, const std::string& bytes) {
        const raw_client client{port};
        client.send(bytes);
        return client.read_response();
    }

    sluice::testing::temporary_directory directory_;
    std::unique_ptr<broker> store_ = inbox();
};

TEST_F(webhook_receiver, keeps_a_message_before_it_answers) {
    const auto here = receive();
    const envelope::header_list head{{"ce-id", "o-1"}, {"ce-subject", "Euro \xE2\x82\xAC"}, {"traceparent", "00-1"}};
    const std::vector<outgoing> batch{{.stream = "shop::order",
                                       .message_id = "o-1-0.1",
                                       .key = "o-1",
                                       .body = "{\"a\": 1}",
                                       .head = head,
                                       .content_type = "application/json"}};
    const auto broker = sender(here->port());
    ASSERT_TRUE(is<delivered>(broker->open_publisher()->publish(batch, {}, 10s).at(0)));
    const auto got = stored();
    ASSERT_THAT(got, SizeIs(1));
    EXPECT_EQ(got[0].body, "{\"a\": 1}");
    EXPECT_EQ(got[0].key, "o-1");
    EXPECT_EQ(got[0].content_type, "application/json");
    EXPECT_EQ(got[0].stream, "shop::order");
    EXPECT_THAT(got[0].head, ElementsAre(envelope::header{"webhook-id", "o-1-0_2E1"}, head[0], head[1], head[2]));
}

TEST_F(webhook_receiver, answers_only_what_is_stored) {
    auto gate = std::make_unique<gated_publisher>(store_->open_publisher());
    auto& gated = *gate;
    const auto here = receive({}, std::move(gate));
    const auto broker = sender(here->port());
    const auto to = broker->open_publisher();
    EXPECT_TRUE(is<unreachable>(publish(*to, notes(1), 300ms).at(0))) << "nothing is answered";
    EXPECT_THAT(stored(), IsEmpty());
    gated.open();
    EXPECT_TRUE(is<delivered>(publish(*to, notes(1)).at(0)));
    EXPECT_THAT(stored(), SizeIs(1));
}

TEST_F(webhook_receiver, keeps_once_what_comes_twice_and_both_of_what_only_has_one_id) {
    const auto here = receive();
    const auto first = post(here->port(), request("{\"n\":1}"));
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(post(here->port(), request("{\"n\":1}")).status, 200);
    EXPECT_THAT(stored(), SizeIs(1));
    EXPECT_EQ(post(here->port(), request("{\"n\":2}")).status, 200);
    EXPECT_THAT(stored(), SizeIs(2));
}

/// Commits, and dies before anybody hears of it.
class dying_publisher final : public publisher {
public:
    explicit dying_publisher(std::unique_ptr<publisher> behind) : behind_{std::move(behind)} {}
    [[nodiscard]] std::vector<verdict> publish(std::span<const outgoing> batch, const producer& from,
                                               duration timeout) override {
        static_cast<void>(behind_->publish(batch, from, timeout));
        ::kill(::getpid(), SIGKILL);
        return {};
    }
    [[nodiscard]] std::string probe(duration timeout) override { return behind_->probe(timeout); }

private:
    std::unique_ptr<publisher> behind_;
};

TEST_F(webhook_receiver, keeps_once_what_it_stored_before_it_was_killed) {
    const std::uint16_t port = sluice::testing::free_port();
    const pid_t child = ::fork();
    if (child == 0) {
        const auto store = inbox();
        const auto here = receive({.port = port}, std::make_unique<dying_publisher>(store->open_publisher()));
        ::pause();
        ::_exit(0);
    }
    const auto broker = sender(port);
    const auto to = broker->open_publisher();
    ASSERT_TRUE(eventually([&] { return to->probe(1s).empty(); }));
    EXPECT_TRUE(is<unreachable>(publish(*to, notes(1)).at(0)));
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status));
    EXPECT_THAT(stored(), SizeIs(1)) << "it was committed";

    const auto again = receive({.port = port});
    ASSERT_EQ(again->port(), port);
    EXPECT_TRUE(is<delivered>(publish(*to, notes(1)).at(0)));
    EXPECT_THAT(stored(), SizeIs(1));
}

// A bad network between sender and receiver, and a receiver that ends and begins again: what is not delivered is sent
// again, as a lane does it. Nothing is lost, doubled or inverted.
TEST_F(webhook_receiver, has_each_message_once_and_in_order_whatever_the_network_does) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE(fmt::format("seed {}", seed));
    const std::uint16_t port = sluice::testing::free_port();
    auto here = receive({.port = port});
    sluice::testing::tcp_gate gate{port};
    std::jthread trouble{[&](const std::stop_token& stop) {
        std::mt19937 random{seed};
        while (!stop.stop_requested()) {
            switch (random() % 6) {
                case 0:
                    gate.refuse(true);
                    break;
                case 1:
                    gate.stall(true);
                    break;
                case 2:
                    gate.cut_after(random() % 200);
                    break;
                case 3:
                    gate.drip(1ms);
                    break;
                case 4:
                    gate.half_close();
                    break;
                default:
                    here.reset();
                    here = receive({.port = port});
                    break;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds{5 + random() % 30});
            gate.open();
            std::this_thread::sleep_for(std::chrono::milliseconds{5 + random() % 30});
        }
    }};
    constexpr int count = 400;
    const auto broker = sender(gate.port(), {.connections = 4, .answer_timeout = 300ms});
    const auto to = broker->open_publisher();
    auto open = notes(count, 5);
    const auto give_up = std::chrono::steady_clock::now() + sluice::testing::long_enough;
    while (!open.empty() && std::chrono::steady_clock::now() < give_up) {
        const std::vector<note> batch(open.begin(), open.begin() + std::min<std::ptrdiff_t>(20, std::ssize(open)));
        const auto verdicts = publish(*to, batch, 200ms);
        std::set<std::string> done;
        for (std::size_t i = 0; i < batch.size(); ++i) {
            EXPECT_FALSE(is<refused>(verdicts[i])) << told(verdicts[i]);
            if (is<delivered>(verdicts[i])) done.insert(batch[i].id);
        }
        std::erase_if(open, [&](const note& each) { return done.contains(each.id); });
    }
    trouble.request_stop();
    trouble.join();
    EXPECT_THAT(open, IsEmpty());
    const auto got = stored();
    EXPECT_THAT(got, SizeIs(count));
    std::map<std::string, int> last;
    for (const auto& each : got) {
        const int number = std::stoi(each.body);
        EXPECT_LT(last.try_emplace(each.key, -1).first->second, number);
        last[each.key] = number;
    }
}

TEST_F(webhook_receiver, turns_down_what_is_not_genuine_and_says_why) {
    const auto here = receive();
    const auto status = [&](const std::string& bytes) { return post(here->port(), bytes).status; };
    const std::string good = request("{ \"a\": \"\\u20ac\" }");
    EXPECT_EQ(status(good), 200) << "bytes are verified, not values";
    auto forged = good;
    forged.replace(forged.find("\\u20ac"), 6, "\\u20AC");
    EXPECT_EQ(status(forged), 401);
    EXPECT_EQ(status(request("{}", "msg_2", "Connection: close\r\nwebhook-id: msg_3\r\n")), 400);
    EXPECT_EQ(status(request("{}", "msg_2", "Connection: close\r\n", "/nobody")), 404);
    EXPECT_EQ(status("GET /shop::order HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), 405);
    EXPECT_EQ(status("POST /shop::order HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), 400);
    EXPECT_EQ(status("\x16\x03\x01 this is TLS\r\n\r\n"), 400);
    EXPECT_EQ(status("POST / HTTP/1.1\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n"), 431);
    const auto late = post(here->port(), [] {
        const std::string then = "1614265330";
        return fmt::format(
            "POST /s HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nwebhook-id: a\r\nwebhook-timestamp: "
            "{}\r\nwebhook-signature: {}\r\nConnection: close\r\n\r\n{{}}",
            then, webhook::sign("a", then, "{}", webhook::read_secrets(test_secret)));
    }());
    EXPECT_EQ(late.status, 401);
    EXPECT_THAT(late.body, HasSubstr("too old"));
    EXPECT_THAT(stored(), SizeIs(1));
}

TEST_F(webhook_receiver, takes_what_curl_sends_up_to_its_limit) {
    std::ofstream{directory_ / "body", std::ios::binary} << std::string(2'000'000, 'x');
    const auto curl = [&](const receiver& to) {
        const std::string body(2'000'000, 'x');
        const auto timestamp = webhook::timestamp_text(system_clock().now());
        return sluice::testing::run_command(fmt::format(
            "curl -s -o {} -w '%{{http_code}}' -H 'Expect: 100-continue' -H 'webhook-id: a' -H 'webhook-timestamp: {}' "
            "-H 'webhook-signature: {}' -H 'Content-Type: text/plain' --data-binary @{} http://127.0.0.1:{}/s",
            shell_word((directory_ / "answer").native()), timestamp,
            webhook::sign("a", timestamp, body, webhook::read_secrets(test_secret)),
            shell_word((directory_ / "body").native()), to.port()));
    };
    EXPECT_EQ(curl(*receive({.max_message_bytes = 1'000'000})), "413");
    EXPECT_THAT(stored("s"), IsEmpty());
    EXPECT_EQ(curl(*receive()), "200");
    ASSERT_THAT(stored("s"), SizeIs(1));
    EXPECT_EQ(stored("s")[0].body.size(), 2'000'000U);
}

TEST_F(webhook_receiver, takes_a_body_in_chunks_and_bounds_it) {
    const auto here = receive({.max_message_bytes = 100});
    const auto head = [](const std::string& body) {
        auto bytes = request(body);
        const auto length = bytes.find("Content-Length");
        bytes.replace(length, bytes.find("\r\n", length) - length, "Transfer-Encoding: chunked");
        bytes.resize(bytes.size() - body.size());
        return bytes;
    };
    const auto chunked = [&](const std::string& body) {
        return head(body) + fmt::format("{:x}\r\n{}\r\n0\r\n\r\n", body.size(), body);
    };
    EXPECT_EQ(post(here->port(), chunked(std::string(100, 'x'))).status, 200);
    EXPECT_EQ(post(here->port(), chunked(std::string(101, 'x'))).status, 413);

    const raw_client slow{here->port()};
    slow.send(head(""));
    for (const char each : std::string_view{"0\r\n\r\n"}) slow.send({&each, 1});
    EXPECT_EQ(slow.read_response().status, 422) << "an empty one, which is no message, may come in pieces";
}

TEST_F(webhook_receiver, lets_a_sender_read_its_answer_whatever_it_goes_on_sending) {
    const auto here = receive({.max_message_bytes = 100});
    const raw_client client{here->port()};
    EXPECT_TRUE(client.send(request(std::string(32'000'000, 'x')))) << "more than any buffer takes";
    EXPECT_EQ(client.read_response().status, 413);
}

TEST_F(webhook_receiver, asks_to_come_later_when_too_much_is_under_way) {
    auto gate = std::make_unique<gated_publisher>(store_->open_publisher());
    auto& gated = *gate;
    const auto here = receive({.max_body_bytes = 1000}, std::move(gate));
    const raw_client first{here->port()};
    first.send(request(std::string(900, 'x'), "msg_1"));
    ASSERT_TRUE(eventually([&] {
        const auto later = post(here->port(), request(std::string(200, 'x'), "msg_2"));
        return later.status == 503 && later.head.find("Retry-After: ") != std::string::npos;
    }));
    gated.open();
    EXPECT_EQ(first.read_response().status, 200);
    EXPECT_EQ(post(here->port(), request(std::string(200, 'x'), "msg_2")).status, 200);
}

TEST_F(webhook_receiver, asks_to_come_later_while_its_inbox_is_away) {
    const auto away = make_sqlite_broker({.path = directory_ / "missing" / "inbox.db"});
    const auto here = receive({}, away->open_publisher());
    EXPECT_EQ(post(here->port(), request("{}")).status, 503);
    std::filesystem::create_directory(directory_ / "missing");
    EXPECT_EQ(post(here->port(), request("{}")).status, 200);
}

TEST_F(webhook_receiver, is_not_kept_busy_by_connections_that_say_nothing) {
    const auto here = receive({.max_connections = 64});
    std::vector<std::unique_ptr<raw_client>> silent;
    for (int i = 0; i < 500; ++i) {
        silent.push_back(std::make_unique<raw_client>(here->port()));
        if (i % 3 == 0) silent.back()->send("POST /shop::order HTTP/1.1\r\nHost: a\r\n");
    }
    EXPECT_EQ(post(here->port(), request("{}")).status, 200);
}

TEST_F(webhook_receiver, waits_for_no_slow_sender) {
    const auto here = receive({.request_time = 300ms});
    const raw_client of_head{here->port()};
    of_head.send("POST /shop::order HT");
    const raw_client of_body{here->port()};
    const auto whole = request(std::string(1000, 'x'));
    of_body.send(whole.substr(0, whole.size() - 1));
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(of_head.read_all(), "");
    EXPECT_EQ(of_body.read_all(), "");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 30s);
    EXPECT_THAT(stored(), IsEmpty());
}

TEST_F(webhook_receiver, answers_requests_of_one_connection_in_their_order) {
    const auto here = receive();
    const raw_client client{here->port()};
    client.send(request("1", "a", "") + request("2", "b", "") + request("3", "c"));
    const std::string answers = client.read_all();
    for (const char* each : {"sluice-receipt: 1\r\n", "sluice-receipt: 2\r\n", "sluice-receipt: 3\r\n"}) {
        EXPECT_THAT(answers, HasSubstr(each));
    }
    EXPECT_THAT(answers, HasSubstr("Keep-Alive: timeout="));
}

TEST_F(webhook_receiver, takes_over_from_another_process_that_has_gone) {
    const std::uint16_t port = sluice::testing::free_port();
    const receiver_settings settings{.port = port, .lock_file = directory_ / "inbox.db-listening"};
    auto first = receive(settings);
    EXPECT_EQ(first->port(), port);
    const auto second = receive(settings);
    EXPECT_EQ(second->port(), 0);
    EXPECT_EQ(second->trouble(), "") << "somebody listens";
    first.reset();
    ASSERT_TRUE(eventually([&] { return second->port() == port; }));
    EXPECT_EQ(post(port, request("{}")).status, 200);

    const auto stranger = receive({.port = port, .lock_file = directory_ / "other.db-listening"});
    EXPECT_THAT(stranger->trouble(), AllOf(HasSubstr("cannot listen on 127.0.0.1:"), HasSubstr("in use")));
    const auto nowhere = receive({.port = port, .lock_file = directory_ / "missing" / "x"});
    EXPECT_THAT(nowhere->trouble(), HasSubstr("missing/x"));
}

TEST_F(webhook_receiver, is_a_broker_that_is_read_like_any_other) {
    const std::uint16_t port = sluice::testing::free_port();
    const auto partner = make_webhook_broker(
        {.secrets = test_secret, .listen = fmt::format("127.0.0.1:{}", port), .inbox_file = directory_ / "inbox.db"});
    EXPECT_TRUE(partner->can().readable);
    const auto from = sender(port);
    const auto to = from->open_publisher();
    EXPECT_THAT(told(publish(*to, notes(1)).at(0)), HasSubstr("refused")) << "nobody reads yet, and nobody listens";

    const auto reader = sluice::testing::open_consumer(*partner, "shop::order", {.group = "g", .consumer = "c"});
    EXPECT_THAT(publish(*to, notes(50, 5)), Each(::testing::Truly(is<delivered>)));
    const auto got = reader->read(100, system_clock().now());
    ASSERT_THAT(got, SizeIs(50));
    std::map<std::string, int> last;
    for (const auto& each : got) {
        EXPECT_LT(last.try_emplace(each.key, -1).first->second, std::stoi(each.body));
        last[each.key] = std::stoi(each.body);
    }
    EXPECT_THAT(told(publish(*to, {{.id = "x", .stream = "nobody::reads"}}).at(0)), HasSubstr("503"))
        << "others may begin to read yet";
    EXPECT_THAT(told(partner->open_publisher()->publish(std::vector<outgoing>(1), {}, 1s).at(0)),
                HasSubstr("only receives"));
    EXPECT_EQ(partner->describe(),
              fmt::format("webhook listening on 127.0.0.1:{} into {}", port, (directory_ / "inbox.db").native()));
}

TEST_F(webhook_receiver, wants_secrets_and_a_file) {
    const auto error_of = [](webhook_options options) -> std::string {
        try {
            static_cast<void>(make_webhook_broker(std::move(options)));
        } catch (const configuration_error& wrong) {
            return wrong.what();
        }
        return {};
    };
    EXPECT_THAT(error_of({.listen = "127.0.0.1:1", .inbox_file = "x"}), HasSubstr("secrets"));
    EXPECT_THAT(error_of({.secrets = test_secret, .listen = "127.0.0.1:1"}), HasSubstr("inbox_file"));
    EXPECT_THAT(error_of({.secrets = test_secret, .listen = "nonsense", .inbox_file = "x"}), HasSubstr("listen"));
    EXPECT_THAT(error_of({.secrets = test_secret}), HasSubstr("neither"));
}

TEST_F(webhook_receiver, takes_what_the_official_library_signs) {
    std::ifstream file{std::filesystem::path{WEBHOOK_ENVIRONMENT} / "unavailable"};
    std::string why;
    if (std::getline(file, why)) GTEST_SKIP() << why;
    const auto here = receive();
    const std::string body = "{ \"name\": \"Z\xC3\xBC \\u20ac\" }";
    std::ofstream{directory_ / "body", std::ios::binary} << body;
    auto headers = sluice::testing::run_command(fmt::format(
        "{}/bin/python {} sign {} {} {}", shell_word(WEBHOOK_ENVIRONMENT), shell_word(WEBHOOK_PEER),
        shell_word(test_secret), "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", shell_word((directory_ / "body").native())));
    while (headers.ends_with('\n')) headers.pop_back();
    headers.replace(headers.find('\n'), 1, "\r\n");
    const auto answer = post(here->port(), fmt::format("POST /shop::order HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                                                       "webhook-id: msg_2KWPBgLlAfxdpx2AI54pPJ85f4W\r\n"
                                                       "Content-Length: {}\r\n{}\r\n\r\n{}",
                                                       body.size(), headers, body));
    EXPECT_EQ(answer.status, 200) << answer.body;
    ASSERT_THAT(stored(), SizeIs(1));
    EXPECT_EQ(stored()[0].body, body);
}

}  // namespace
}  // namespace sluice::broker
