#include "support/http_endpoint.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

namespace sluice::testing {

http_reply reply_with(int status, const std::string& headers, const std::string& body) {
    return {.bytes =
                fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(), headers, body)};
}

/// One connection, plain or not. Reading gives up when `stop` is requested.
class http_endpoint::channel {
public:
    channel(base::unique_fd socket, SSL_CTX* tls) : socket_{std::move(socket)} {
        if (tls == nullptr) return;
        ssl_.reset(SSL_new(tls), &SSL_free);
        SSL_set_fd(ssl_.get(), socket_.get());
    }
    [[nodiscard]] bool shake_hands() { return ssl_ == nullptr || SSL_accept(ssl_.get()) == 1; }
    /// Nothing more comes: an empty text.
    [[nodiscard]] std::string read() {
        std::array<char, 16384> bytes{};
        const auto count = ssl_ ? static_cast<ssize_t>(SSL_read(ssl_.get(), bytes.data(), bytes.size()))
                                : ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
        return {bytes.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
    }
    void write(std::string_view text) {
        while (!text.empty()) {
            const auto count =
                ssl_ ? static_cast<ssize_t>(SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())))
                     : ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
            if (count <= 0) return;
            text.remove_prefix(static_cast<std::size_t>(count));
        }
    }
    /// Any thread: what reads or writes ends.
    void end() { ::shutdown(socket_.get(), SHUT_RDWR); }

private:
    base::unique_fd socket_;
    std::shared_ptr<SSL> ssl_;
};

namespace {

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char each) { return std::tolower(each); });
    return text;
}

/// Takes one request off the front; false when it is not all there yet.
bool take_request(std::string& from, http_request& into) {
    const auto end = from.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    std::map<std::string, std::string> headers;
    std::size_t line = from.find("\r\n") + 2;
    while (line < end + 2) {
        const auto line_end = from.find("\r\n", line);
        const auto colon = from.find(": ", line);
        headers[lower(from.substr(line, colon - line))] = from.substr(colon + 2, line_end - colon - 2);
        line = line_end + 2;
    }
    const auto length = headers.contains("content-length") ? std::stoul(headers["content-length"]) : 0;
    if (from.size() < end + 4 + length) return false;
    const auto target = from.find(' ') + 1;
    into.target = from.substr(target, from.find(' ', target) - target);
    into.headers = std::move(headers);
    into.body = from.substr(end + 4, length);
    from.erase(0, end + 4 + length);
    return true;
}

}  // namespace

http_endpoint::http_endpoint(handler answer, const http_tls_files& tls)
    : answer_{std::move(answer)}, listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    if (!tls.certificate.empty()) {
        std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets that are closed
        SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
        tls_.reset(context, [](void* of) { SSL_CTX_free(static_cast<SSL_CTX*>(of)); });
        if (SSL_CTX_use_certificate_chain_file(context, tls.certificate.c_str()) != 1 ||
            SSL_CTX_use_PrivateKey_file(context, tls.key.c_str(), SSL_FILETYPE_PEM) != 1) {
            throw std::runtime_error{"cannot use " + tls.certificate.string()};
        }
        if (!tls.client_authority.empty()) {
            SSL_CTX_load_verify_locations(context, tls.client_authority.c_str(), nullptr);
            SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
        }
    }
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&at), size) != 0 ||
        ::listen(listener_.get(), 128) != 0 ||
        ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&at), &size) != 0) {
        throw std::runtime_error{"cannot listen on 127.0.0.1"};
    }
    port_ = ntohs(at.sin_port);
    acceptor_ = std::jthread{[this](const std::stop_token& stop) { accept(stop); }};
}

http_endpoint::~http_endpoint() { close(); }

void http_endpoint::close() {
    acceptor_.request_stop();
    ::shutdown(listener_.get(), SHUT_RDWR);
    if (acceptor_.joinable()) acceptor_.join();
    std::list<client> ended;
    {
        const std::lock_guard lock{mutex_};
        ended.swap(clients_);
    }
    for (auto& each : ended) {
        each.thread.request_stop();
        each.to->end();
    }
}

void http_endpoint::accept(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        base::unique_fd socket{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
        if (!socket || stop.stop_requested()) return;
        auto to = std::make_shared<channel>(std::move(socket), static_cast<SSL_CTX*>(tls_.get()));
        const std::lock_guard lock{mutex_};
        clients_.push_back(
            {.to = to, .thread = std::jthread{[this, to, number = ++accepted_](const std::stop_token& end) {
                           serve(end, *to, number);
                           to->end();
                       }}});
    }
}

void http_endpoint::serve(const std::stop_token& stop, channel& with, int number) {
    if (!with.shake_hands()) return;
    std::string unread;
    while (!stop.stop_requested()) {
        http_request request;
        while (!take_request(unread, request)) {
            const std::string more = with.read();
            if (more.empty()) return;
            unread += more;
        }
        request.connection = number;
        {
            const std::lock_guard lock{mutex_};
            requests_.push_back(request);
        }
        const http_reply reply = answer_(request, stop);
        if (reply.silent) {
            while (!with.read().empty()) continue;
            return;
        }
        with.write(reply.bytes);
        if (reply.close) return;
    }
}

std::string http_endpoint::uri(const std::string& path) const {
    return fmt::format("{}://127.0.0.1:{}{}", tls_ ? "https" : "http", port_, path);
}

std::vector<http_request> http_endpoint::requests() const {
    const std::lock_guard lock{mutex_};
    return requests_;
}

std::vector<std::string> http_endpoint::bodies() const {
    std::vector<std::string> found;
    for (const auto& each : requests()) found.push_back(each.body);
    return found;
}

}  // namespace sluice::testing
