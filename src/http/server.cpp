#include "http/server.hpp"

#include <pthread.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core/detect_ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <atomic>
#include <exception>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include <sluice/error.hpp>

#include "base/names.hpp"
#include "base/one_line.hpp"
#include "http/server_tls.hpp"
#include "net/first_chunk.hpp"
#include "net/linger.hpp"
#include "net/listener.hpp"
#include "observe/log.hpp"

namespace sluice::http {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace beast_http = boost::beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

http_answer refusal(beast_http::status status, const char* words) {
    return {static_cast<unsigned>(status), "application/json", std::string{R"({"error": ")"} + words + "\"}"};
}

http_answer answer_to(error_code problem) {
    if (problem == beast_http::error::body_limit) {
        return refusal(beast_http::status::payload_too_large, "Payload Too Large");
    }
    if (problem == beast_http::error::header_limit || problem == beast_http::error::buffer_overflow) {
        return refusal(beast_http::status::request_header_fields_too_large, "Request Header Fields Too Large");
    }
    return refusal(beast_http::status::bad_request, "Bad Request");
}

/// The client is gone, was too slow, or had to make room: nobody waits for an answer.
bool is_lost(error_code problem) {
    const auto& where = problem.category();
    return where == asio::error::get_system_category() || where == asio::error::get_ssl_category() ||
           where == asio::ssl::error::get_stream_category() || problem == beast::error::timeout ||
           problem == asio::error::eof || problem == beast_http::error::end_of_stream ||
           problem == beast_http::error::partial_message;
}

std::string to_text(const tcp::endpoint& at) {
    const std::string host = at.address().to_string();
    return (at.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(at.port());
}

/// `console.example:8090`, or nothing when it is no name and port: it goes into an address.
std::string_view plain_host(std::string_view text) {
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.:[]";
    return text.find_first_not_of(allowed) == std::string_view::npos ? text : std::string_view{};
}

using open_connections = std::map<std::uint64_t, class connection*>;

template <class Message>
header_fields headers_of(const Message& message) {
    header_fields all;
    for (const auto& field : message) {
        const std::string_view name{field.name_string().data(), field.name_string().size()};
        all.emplace_back(base::lower(name), std::string{field.value().data(), field.value().size()});
    }
    return all;
}

/// What is mounted, on threads of its own.
class mounted_site {
public:
    explicit mounted_site(http_mount what) : what_{std::move(what)} {
        if (what_.certificate) tls_.emplace(make_tls(*what_.certificate));
        if (what_.answer) pool_.emplace(what_.threads);
    }
    mounted_site(const mounted_site&) = delete;
    mounted_site& operator=(const mounted_site&) = delete;
    ~mounted_site() = default;

    [[nodiscard]] bool has(std::string_view path) const noexcept { return what_.answer && what_.has(path); }
    [[nodiscard]] std::size_t max_body_bytes() const noexcept { return what_.max_body_bytes; }
    /// Null: there is none.
    [[nodiscard]] asio::ssl::context* tls() noexcept { return tls_ ? &*tls_ : nullptr; }

    /// @param take  gets the answer, on a thread of the site; on this one when there is no room
    template <class Take>
    void ask(http_request request, Take take) {
        if (busy_.fetch_add(1) >= what_.max_waiting || closed_) {
            busy_.fetch_sub(1);
            http_answer full = refusal(beast_http::status::service_unavailable, "Service Unavailable");
            full.headers.emplace_back("retry-after", "1");
            take(std::move(full));
            return;
        }
        asio::post(*pool_, [this, request = std::move(request), take = std::move(take)]() mutable {
            http_answer answer = reply(request);
            busy_.fetch_sub(1);
            take(std::move(answer));
        });
    }

    /// Nothing more is asked. False when something is still being answered after that time.
    [[nodiscard]] bool leave(std::chrono::milliseconds patience) {
        closed_ = true;
        constexpr std::chrono::milliseconds step{5};
        const auto end = std::chrono::steady_clock::now() + patience;
        while (busy_ > 0 && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(step);
        return busy_ == 0;
    }
    void join() {
        closed_ = true;
        if (!pool_) return;
        pool_->stop();
        pool_->join();
        pool_.reset();  // what it had not begun holds connections
    }

private:
    [[nodiscard]] http_answer reply(const http_request& request) const {
        try {
            return what_.answer(request);
        } catch (const std::exception& e) {
            observe::log(observe::level::warn, "http.failed", {{"reason", base::one_line(e.what())}});
            return refusal(beast_http::status::internal_server_error, "Internal Server Error");
        }
    }

    const http_mount what_;
    std::optional<asio::ssl::context> tls_{};
    std::optional<asio::thread_pool> pool_{};
    std::atomic<std::size_t> busy_{0};
    std::atomic<bool> closed_{false};
};

/// Who answers what.
struct served {
    const http_settings& settings;
    const http_server::handler& probes;
    mounted_site& site;
};

/// One client: reads one request, answers, and leaves. Lives as long as something is under way for it.
class connection : public std::enable_shared_from_this<connection> {
public:
    connection(tcp::socket socket, const served& by, open_connections& all, std::uint64_t number)
        : stream_{std::move(socket)}, by_{by}, all_{all}, number_{number}, buffer_{by.settings.max_header_bytes} {
        all_.emplace(number_, this);
    }
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection() { all_.erase(number_); }

    /// The time for the request begins here: it is for the handshake, too.
    void start() {
        stream_.expires_after(by_.settings.request_time);
        if (by_.site.tls() == nullptr) return read_head();
        beast::async_detect_ssl(stream_, buffer_, [self = shared_from_this()](error_code problem, bool is_tls) {
            if (problem) return;
            if (is_tls) return self->shake_hands();
            self->read_head();
        });
    }
    /// What is under way for it ends at once.
    void drop() { stream_.close(); }

private:
    void shake_hands() {
        tls_.emplace(stream_, *by_.site.tls());
        tls_->async_handshake(asio::ssl::stream_base::server, buffer_.data(),
                              [self = shared_from_this()](error_code problem, std::size_t used) {
                                  if (problem) return;
                                  self->buffer_.consume(used);
                                  self->read_head();
                              });
    }

    /// @param act  gets the stream that requests and answers go over
    template <class Act>
    void over_stream(Act act) {
        if (tls_) return act(*tls_);
        act(stream_);
    }

    void read_head() {
        head_.emplace();
        head_->body_limit(boost::none);  // none is read
        head_->header_limit(static_cast<std::uint32_t>(by_.settings.max_header_bytes));
        over_stream([this](auto& stream) {
            beast_http::async_read_header(
                stream, buffer_, *head_,
                [self = shared_from_this()](error_code problem, std::size_t) { self->read(problem); });
        });
    }

    void read(error_code problem) {
        if (problem && is_lost(problem)) return;
        const auto& request = head_->get();
        is_head_ = request.method() == beast_http::verb::head;
        if (problem) return write(answer_to(problem));
        const std::string_view target{request.target().data(), request.target().size()};
        if (!by_.site.has(target.substr(0, target.find('?')))) return write(probe());
        if (by_.site.tls() != nullptr && !tls_) return write(send_to_tls(target));
        read_body();
    }

    /// Nothing secret may come in plain text a second time: a request that changes something is not repeated.
    [[nodiscard]] http_answer send_to_tls(std::string_view target) const {
        const auto& request = head_->get();
        const auto host_field = request[beast_http::field::host];
        const std::string_view host = plain_host({host_field.data(), host_field.size()});
        const bool may_repeat = is_head_ || request.method() == beast_http::verb::get;
        if (host.empty() || !may_repeat || !target.starts_with('/')) {
            return refusal(beast_http::status::bad_request, "this is served over TLS: use https://");
        }
        http_answer answer = refusal(beast_http::status::temporary_redirect, "this is served over TLS");
        answer.headers.emplace_back("Location", "https://" + std::string{host} + std::string{target});
        return answer;
    }

    [[nodiscard]] http_answer probe() {
        const auto method = head_->get().method();
        if (method != beast_http::verb::get && method != beast_http::verb::head) {
            http_answer answer = refusal(beast_http::status::method_not_allowed, "Method Not Allowed");
            answer.headers.emplace_back("Allow", "GET, HEAD");
            return answer;
        }
        try {
            return by_.probes(request_of(head_->get()));
        } catch (const std::exception& e) {
            observe::log(observe::level::warn, "health.failed", {{"reason", base::one_line(e.what())}});
            return refusal(beast_http::status::internal_server_error, "Internal Server Error");
        }
    }

    /// The time for the request goes on: it is for header and body together.
    void read_body() {
        const auto announced = head_->content_length();
        if (announced && *announced > by_.site.max_body_bytes()) {
            return write(answer_to(beast_http::error::body_limit));
        }
        whole_.emplace(std::move(*head_));
        whole_->body_limit(by_.site.max_body_bytes());
        if (!whole_->chunked()) return read_rest({});
        over_stream([this](auto& stream) {
            net::async_read_first_chunk(stream, buffer_,
                                        [self = shared_from_this()](error_code problem) { self->read_rest(problem); });
        });
    }

    void read_rest(error_code problem) {
        if (problem) return hand_over(problem);
        over_stream([this](auto& stream) {
            beast_http::async_read(
                stream, buffer_, *whole_,
                [self = shared_from_this()](error_code failure, std::size_t) { self->hand_over(failure); });
        });
    }

    void hand_over(error_code problem) {
        if (problem && is_lost(problem)) return;
        if (problem) return write(answer_to(problem));
        stream_.expires_never();
        by_.site.ask(to_request(), [self = shared_from_this()](http_answer answer) mutable {
            // Everything of a connection, also its end, belongs to the server's thread.
            auto& stream = self->stream_;
            asio::post(stream.get_executor(), [self = std::move(self), answer = std::move(answer)]() mutable {
                self->write(std::move(answer));
            });
        });
    }

    [[nodiscard]] http_request to_request() {
        http_request request = request_of(whole_->get());
        request.body = std::move(whole_->get().body());
        return request;
    }

    /// Everything but the body.
    template <class Message>
    [[nodiscard]] http_request request_of(const Message& message) {
        const std::string_view target{message.target().data(), message.target().size()};
        const auto mark = target.find('?');
        error_code gone;
        const auto other_end = stream_.socket().remote_endpoint(gone);
        http_request request;
        request.method = is_head_ ? "GET" : std::string{message.method_string().data(), message.method_string().size()};
        request.path = target.substr(0, mark);
        if (mark != std::string_view::npos) request.query = target.substr(mark + 1);
        request.headers = headers_of(message);
        if (!gone) request.client = other_end.address().to_string();
        request.is_encrypted = tls_.has_value();
        return request;
    }

    void write(http_answer answer) {
        response_.version(11);
        response_.result(answer.status);
        if (!answer.content_type.empty()) response_.set(beast_http::field::content_type, answer.content_type);
        response_.set(beast_http::field::cache_control, "no-store");
        for (const auto& [name, value] : answer.headers) {
            if (name == "set-cookie") {
                response_.insert(name, value);
            } else {
                response_.set(name, value);
            }
        }
        response_.keep_alive(false);
        response_.set(beast_http::field::connection, "close");
        response_.content_length(answer.body.size());
        if (!is_head_) response_.body() = std::move(answer.body);
        stream_.expires_after(by_.settings.request_time);
        serializer_.emplace(response_);
        over_stream([this](auto& stream) {
            beast_http::async_write(stream, *serializer_, [self = shared_from_this()](error_code problem, std::size_t) {
                self->written(problem);
            });
        });
    }

    void written(error_code problem) {
        if (problem) return;
        if (!tls_) return close();
        constexpr auto farewell = std::chrono::seconds{1};
        stream_.expires_after(farewell);
        // Whatever the client says to it: that nothing follows was said.
        tls_->async_shutdown([self = shared_from_this()](error_code) { self->close(); });
    }

    void close() { net::linger({shared_from_this(), &stream_}); }

    beast::tcp_stream stream_;
    std::optional<asio::ssl::stream<beast::tcp_stream&>> tls_{};  ///< over it, from the handshake on
    const served& by_;
    open_connections& all_;
    std::uint64_t number_;
    beast::flat_buffer buffer_;
    std::optional<beast_http::request_parser<beast_http::empty_body>> head_{};
    std::optional<beast_http::request_parser<beast_http::string_body>> whole_{};  ///< of a request to the site
    bool is_head_ = false;
    beast_http::response<beast_http::string_body> response_;
    std::optional<beast_http::response_serializer<beast_http::string_body>> serializer_{};
};

}  // namespace

class http_server::engine {
public:
    engine(const http_settings& settings, handler answer, const std::string& key, http_mount mounted)
        : settings_{settings},
          answer_{std::move(answer)},
          site_{std::move(mounted)},
          served_{settings_, answer_, site_},
          listener_{io_} {
        listen(key);
        listener_.accept([this](tcp::socket client) {
            make_room();
            std::make_shared<connection>(std::move(client), served_, connections_, ++number_)->start();
        });
        thread_ = std::thread{[this] { run(); }};
    }
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;
    ~engine() {
        io_.stop();
        thread_.join();
        site_.join();  // it posts to the context
    }

    [[nodiscard]] bool leave(std::chrono::milliseconds patience) { return site_.leave(patience); }
    [[nodiscard]] tcp::endpoint where() const { return listener_.where(); }

private:
    [[nodiscard]] bool is_health() const { return settings_.section == "server.health"; }

    void listen(const std::string& key) {
        const std::string wanted = settings_.host + ":" + std::to_string(settings_.port);
        const auto [is, problem] =
            listener_.listen({.host = settings_.host, .port = settings_.port, .ports_to_try = settings_.ports_to_try});
        switch (is) {
            case net::listener::outcome::listening:
                return;
            case net::listener::outcome::unknown_host:
                throw configuration_error{"cannot listen on " + wanted + ": " + settings_.section +
                                          ".host is no address of this machine (" + problem.message() +
                                          "); use 127.0.0.1 or 0.0.0.0"};
            case net::listener::outcome::address_in_use:
                throw configuration_error{
                    "the " + std::string{is_health() ? "health " : ""} + "port " + wanted + " (" + key + ") is in use" +
                    (settings_.ports_to_try > 1 ? ", and so are those after it" : "") + "; choose another port" +
                    (is_health() ? ", set server.health.port_auto_increment = true, or switch the health "
                                   "server off with server.health.enabled = false"
                                 : "")};
            case net::listener::outcome::impossible:
                break;
        }
        throw configuration_error{"cannot listen on " + wanted + " (" + key + "): " + problem.message() +
                                  "; choose another " + settings_.section + ".host or port"};
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
    mounted_site site_;
    const served served_;
    open_connections connections_;  // before the context: what goes with that unregisters here
    std::uint64_t number_ = 0;
    asio::io_context io_{1};
    net::listener listener_;
    std::thread thread_;
};

http_server::http_server(const http_settings& settings, handler answer, const std::string& key, http_mount mounted)
    : engine_{std::make_unique<engine>(settings, std::move(answer), key, std::move(mounted))} {}

http_server::~http_server() = default;

std::uint16_t http_server::port() const noexcept { return engine_->where().port(); }

bool http_server::leave(std::chrono::milliseconds patience) { return engine_->leave(patience); }

std::string http_server::address() const { return to_text(engine_->where()); }

}  // namespace sluice::http
