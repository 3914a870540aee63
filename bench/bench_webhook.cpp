// Posting to an HTTP server in the same process, through Sluice's publisher and through Boost.Beast as its examples use
// it, in one run.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <deque>
#include <exception>
#include <list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/core.h>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "broker/webhook/webhook_broker.hpp"
#include "common/beside_library.hpp"
#include "observe/log.hpp"

namespace sluice::bench {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using clock_type = std::chrono::steady_clock;

struct webhook_scale {
    int rounds = 5;
    int messages = 20'000;
    int batch = 500;
    int seconds_of_latency = 5;
};
constexpr int connections = 8;
constexpr const char* bench_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Answers 200 to each request, a thread for each connection. Its clients must go before it.
class quick_server {
public:
    quick_server() : acceptor_{io_, tcp::endpoint{asio::ip::address_v4::loopback(), 0}} {
        thread_ = std::jthread{[this] {
            for (;;) {
                boost::system::error_code problem;
                tcp::socket client{io_};
                acceptor_.accept(client, problem);
                if (problem || stopping_) return;
                client.set_option(tcp::no_delay{true});
                clients_.emplace_back([client = std::move(client)]() mutable { serve(client); });
            }
        }};
    }
    quick_server(const quick_server&) = delete;
    quick_server& operator=(const quick_server&) = delete;
    ~quick_server() {
        stopping_ = true;
        asio::io_context io;
        tcp::socket last{io};
        boost::system::error_code ignored;
        last.connect({asio::ip::address_v4::loopback(), port()}, ignored);
        thread_.join();
        clients_.clear();
    }
    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

private:
    static void serve(tcp::socket& client) {
        static constexpr std::string_view answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        boost::beast::flat_buffer buffer;
        for (;;) {
            http::request<http::string_body> request;
            boost::system::error_code problem;
            http::read(client, buffer, request, problem);
            if (!problem) asio::write(client, asio::buffer(answer), problem);
            if (problem) return;
        }
    }

    asio::io_context io_;
    tcp::acceptor acceptor_;
    std::atomic<bool> stopping_{false};
    std::list<std::jthread> clients_;  // of the thread below
    std::jthread thread_;
};

/// As the examples of Boost.Beast have it: one connection a thread, a request and its answer in turn, unsigned.
class bare_client {
public:
    explicit bare_client(std::uint16_t port) {
        stream_.connect(tcp::endpoint{asio::ip::address_v4::loopback(), port});
        stream_.socket().set_option(tcp::no_delay{true});
    }
    void post(const broker::outgoing& message) {
        http::request<http::string_body> request{http::verb::post, "/hook", 11};
        request.set(http::field::host, "127.0.0.1");
        request.set(http::field::content_type, "application/json");
        request.set("webhook-id", std::string{message.message_id});
        request.body() = std::string{message.body};
        request.prepare_payload();
        http::write(stream_, request);
        http::response<http::string_body> response;
        http::read(stream_, buffer_, response);
        if (response.result() != http::status::ok) throw std::runtime_error{"a message was not taken"};
    }

private:
    asio::io_context io_;
    boost::beast::tcp_stream stream_{io_};
    boost::beast::flat_buffer buffer_;
};

/// All messages over `clients` threads, each with a connection of its own.
double bare_per_second(std::uint16_t port, int messages, int clients) {
    const notes all{messages};
    std::deque<bare_client> connected;
    for (int i = 0; i < clients; ++i) connected.emplace_back(port);
    const auto begin = clock_type::now();
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < clients; ++t) {
            threads.emplace_back([&, t] {
                const auto step = static_cast<std::size_t>(clients);
                for (auto i = static_cast<std::size_t>(t); i < all.batch().size(); i += step) {
                    connected[static_cast<std::size_t>(t)].post(all.batch()[i]);
                }
            });
        }
    }
    return messages / std::chrono::duration<double>(clock_type::now() - begin).count();
}

void measure(const webhook_scale& size) {
    const quick_server server;
    const auto broker = broker::make_webhook_broker({.uri = fmt::format("http://127.0.0.1:{}/hook", server.port()),
                                                     .secrets = bench_secret,
                                                     .connections = connections,
                                                     .allow_private = true});
    const auto publisher = broker->open_publisher();
    const publish_batch by_sluice = through(*publisher);
    bare_client one{server.port()};
    const publish_batch by_library = [&](const std::vector<broker::outgoing>& batch) {
        for (const auto& each : batch) one.post(each);
    };

    const rates found = compare(
        size.rounds, [&] { return bare_per_second(server.port(), size.messages, connections); },
        [&] { return per_second(by_sluice, size.messages, size.batch); });
    fmt::print("{} messages of {} bytes, {} keys, {} connections\n", size.messages, bytes_of_note, keys_of_notes,
               connections);
    fmt::print("Beast, {} threads, unsigned  {:8.0f}/s\n", connections, found.library);
    fmt::print("sluice, 1 thread, signed    {:8.0f}/s   {:.2f} of it\n", found.sluice, found.ratio);
    const double alone = per_second(by_library, size.batch * 4, size.batch, 1);
    const double one_key = per_second(by_sluice, size.batch * 4, size.batch, 1);
    fmt::print("Beast, one connection       {:8.0f}/s\n", alone);
    fmt::print("sluice, 1 key               {:8.0f}/s   {:.2f} of it\n", one_key, one_key / alone);
    for (const int rate : {100, 2'000}) {
        print_latency("Beast", by_library, rate, size.seconds_of_latency);
        print_latency("sluice", by_sluice, rate, size.seconds_of_latency);
    }
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
    sluice::bench::webhook_scale size;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument == "--quick") {
            size = {.rounds = 1, .messages = 4'000, .batch = 500, .seconds_of_latency = 1};
        } else {
            fmt::print("usage: bench_webhook [--quick]\n");
            return argument == "--help" ? 0 : 2;
        }
    }
    try {
        sluice::observe::configure_log({.threshold = sluice::observe::level::warn});
        sluice::bench::measure(size);
    } catch (const std::exception& e) {
        fmt::print(stderr, "bench_webhook: {}\n", e.what());
        return 1;
    }
}
