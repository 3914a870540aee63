#include "http/server.hpp"

#include <fcntl.h>
#include <pthread.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <array>
#include <exception>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include <sluice/error.hpp>

#include "base/one_line.hpp"
#include "observe/log.hpp"

namespace sluice::http {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace beast_http = boost::beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

constexpr unsigned most_ports = 65535;

http_answer refusal(beast_http::status status, const char* words) {
    return {static_cast<unsigned>(status), "application/json", std::string{R"({"error": ")"} + words + "\"}"};
}

http_answer answer_to(error_code problem) {
    if (problem == beast_http::error::header_limit || problem == beast_http::error::buffer_overflow) {
        return refusal(beast_http::status::request_header_fields_too_large, "Request Header Fields Too Large");
    }
    return refusal(beast_http::status::bad_request, "Bad Request");
}

/// The client is gone, was too slow, or had to make room: nobody waits for an answer.
bool is_lost(error_code problem) {
    return problem.category() == asio::error::get_system_category() || problem == beast::error::timeout ||
           problem == asio::error::eof || problem == beast_http::error::end_of_stream ||
           problem == beast_http::error::partial_message;
}

std::string to_text(const tcp::endpoint& at) {
    const std::string host = at.address().to_string();
    return (at.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(at.port());
}

/// Asio makes sockets that every program inherits which is started from here.
template <class Socket>
void keep_from_children(Socket& socket) {
    ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
}

using open_connections = std::map<std::uint64_t, class connection*>;

/// One client: reads one header, answers, and leaves. Lives as long as something is under way for it.
class connection : public std::enable_shared_from_this<connection> {
public:
    connection(tcp::socket socket, const http_settings& settings, const http_server::handler& answer,
               open_connections& all, std::uint64_t number)
        : stream_{std::move(socket)}, settings_{settings}, answer_{answer}, all_{all}, number_{number} {
        all_.emplace(number_, this);
    }
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection() { all_.erase(number_); }

    void start() {
        parser_.body_limit(boost::none);  // none is read
        parser_.header_limit(static_cast<std::uint32_t>(settings_.max_header_bytes));
        stream_.expires_after(settings_.request_time);
        beast_http::async_read_header(
            stream_, buffer_, parser_,
            [self = shared_from_this()](error_code problem, std::size_t) { self->read(problem); });
    }
    /// What is under way for it ends at once.
    void drop() { stream_.close(); }

private:
    void read(error_code problem) {
        if (problem && is_lost(problem)) return;
        write(problem ? answer_to(problem) : reply());
    }

    [[nodiscard]] http_answer reply() const {
        const auto& request = parser_.get();
        if (request.method() != beast_http::verb::get && request.method() != beast_http::verb::head) {
            return refusal(beast_http::status::method_not_allowed, "Method Not Allowed");
        }
        const std::string_view target{request.target().data(), request.target().size()};
        try {
            return answer_(target.substr(0, target.find('?')));
        } catch (const std::exception& e) {
            observe::log(observe::level::warn, "health.failed", {{"reason", base::one_line(e.what())}});
            return refusal(beast_http::status::internal_server_error, "Internal Server Error");
        }
    }

    void write(http_answer answer) {
        response_.version(11);
        response_.result(answer.status);
        response_.set(beast_http::field::content_type, answer.content_type);
        response_.set(beast_http::field::cache_control, "no-store");
        if (response_.result() == beast_http::status::method_not_allowed)
            response_.set(beast_http::field::allow, "GET, HEAD");
        response_.keep_alive(false);
        response_.set(beast_http::field::connection, "close");
        response_.content_length(answer.body.size());
        if (parser_.get().method() != beast_http::verb::head) response_.body() = std::move(answer.body);
        stream_.expires_after(settings_.request_time);
        serializer_.emplace(response_);
        beast_http::async_write(stream_, *serializer_, [self = shared_from_this()](error_code problem, std::size_t) {
            self->written(problem);
        });
    }

    /// Closing while something unread is waiting would reset the connection before the client has read its answer.
    void written(error_code problem) {
        if (problem) return;
        constexpr auto farewell = std::chrono::seconds{1};
        stream_.socket().shutdown(tcp::socket::shutdown_send, problem);
        stream_.expires_after(farewell);
        drain();
    }

    void drain() {
        constexpr std::size_t most = 65'536;
        if (drained_ > most) return;
        stream_.async_read_some(asio::buffer(rest_),
                                [self = shared_from_this()](error_code problem, std::size_t count) {
                                    self->drained_ += count;
                                    if (!problem) self->drain();
                                });
    }

    beast::tcp_stream stream_;
    const http_settings& settings_;
    const http_server::handler& answer_;
    open_connections& all_;
    std::uint64_t number_;
    beast::flat_buffer buffer_{settings_.max_header_bytes};
    beast_http::request_parser<beast_http::empty_body> parser_;
    beast_http::response<beast_http::string_body> response_;
    std::optional<beast_http::response_serializer<beast_http::string_body>> serializer_;
    std::array<char, 4096> rest_{};
    std::size_t drained_ = 0;
};

}  // namespace

class http_server::engine {
public:
    engine(const http_settings& settings, handler answer, const std::string& key)
        : settings_{settings}, answer_{std::move(answer)}, acceptor_{io_}, pause_{io_} {
        listen(key);
        accept();
        thread_ = std::thread{[this] { run(); }};
    }
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;
    ~engine() {
        io_.stop();
        thread_.join();
    }

    [[nodiscard]] tcp::endpoint where() const { return where_; }

private:
    void listen(const std::string& key) {
        const std::string wanted = settings_.host + ":" + std::to_string(settings_.port);
        error_code problem;
        tcp::resolver resolver{io_};
        const auto found =
            resolver.resolve(settings_.host, std::to_string(settings_.port), tcp::resolver::passive, problem);
        if (problem || found.empty()) {
            throw configuration_error{"cannot listen on " + wanted + ": server.health.host is no address of this " +
                                      "machine (" + problem.message() + "); use 127.0.0.1 or 0.0.0.0"};
        }
        // A name may have addresses that this machine cannot use: `localhost` is ::1, too, where IPv6 is switched off.
        for (const auto& each : found) {
            tcp::endpoint at = each.endpoint();
            for (int i = 0; i < settings_.ports_to_try; ++i) {
                problem = try_to_listen(at);
                if (!problem) {
                    where_ = acceptor_.local_endpoint();
                    return;
                }
                if (problem != asio::error::address_in_use || at.port() == most_ports) break;
                at.port(static_cast<std::uint16_t>(at.port() + 1));
            }
            if (problem == asio::error::address_in_use) break;
        }
        if (problem == asio::error::address_in_use) {
            throw configuration_error{
                "the health port " + wanted + " (" + key + ") is in use" +
                (settings_.ports_to_try > 1 ? ", and so are those after it" : "") +
                "; choose another port, set server.health.port_auto_increment = true, or switch the health server " +
                "off with server.health.enabled = false"};
        }
        throw configuration_error{"cannot listen on " + wanted + " (" + key + "): " + problem.message() +
                                  "; choose another server.health.host or port"};
    }

    [[nodiscard]] error_code try_to_listen(const tcp::endpoint& at) {
        error_code problem;
        acceptor_.close(problem);
        acceptor_.open(at.protocol(), problem);
        if (!problem) keep_from_children(acceptor_);
        if (!problem) acceptor_.set_option(tcp::acceptor::reuse_address{true}, problem);
        if (!problem) acceptor_.bind(at, problem);
        if (!problem) acceptor_.listen(tcp::acceptor::max_listen_connections, problem);
        return problem;
    }

    void accept() {
        acceptor_.async_accept([this](error_code problem, tcp::socket client) {
            if (problem == asio::error::operation_aborted) return;
            if (problem) return accept_later();  // out of descriptors, for example
            keep_from_children(client);
            accept();
            make_room();
            std::make_shared<connection>(std::move(client), settings_, answer_, connections_, ++number_)->start();
        });
    }

    void accept_later() {
        constexpr auto pause = std::chrono::milliseconds{100};
        pause_.expires_after(pause);
        pause_.async_wait([this](error_code problem) {
            if (!problem) accept();
        });
    }

    void make_room() {
        if (connections_.size() < settings_.max_connections) return;
        connections_.begin()->second->drop();
        connections_.erase(connections_.begin());
    }

    void run() noexcept {
        pthread_setname_np(pthread_self(), "health");
        while (!io_.stopped()) {
            try {
                io_.run();
            } catch (const std::exception& e) {  // out of memory; what is under way for others goes on
                observe::log(observe::level::warn, "health.failed", {{"reason", base::one_line(e.what())}});
            }
        }
    }

    const http_settings settings_;
    const handler answer_;
    open_connections connections_;  // before the context: what goes with that unregisters here
    std::uint64_t number_ = 0;
    tcp::endpoint where_;
    asio::io_context io_{1};
    tcp::acceptor acceptor_;
    asio::steady_timer pause_;
    std::thread thread_;
};

http_server::http_server(const http_settings& settings, handler answer, const std::string& key)
    : engine_{std::make_unique<engine>(settings, std::move(answer), key)} {}

http_server::~http_server() = default;

std::uint16_t http_server::port() const noexcept { return engine_->where().port(); }

std::string http_server::address() const { return to_text(engine_->where()); }

}  // namespace sluice::http
