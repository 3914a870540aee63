#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.hpp"

namespace sluice::testing {

/// What a client asked for.
struct http_request {
    std::string target{};
    std::map<std::string, std::string> headers{};  ///< names in lower case
    std::string body{};
    int connection = 0;  ///< counted from 1
};

/// The bytes that are said, whatever they are.
struct http_reply {
    std::string bytes{};
    bool close = false;   ///< then
    bool silent = false;  ///< nothing is said and nothing closed, until the client leaves
};

/// `HTTP/1.1 200 X` with a length.
[[nodiscard]] http_reply reply_with(int status, const std::string& headers = {}, const std::string& body = {});

/// What a server shows, and asks for.
struct http_tls_files {
    std::filesystem::path certificate{};
    std::filesystem::path key{};
    std::filesystem::path client_authority{};  ///< clients must show a certificate of it; empty: they need none
};

/// An HTTP server on 127.0.0.1 that answers with whatever bytes a test wants, over TCP or TLS.
///
/// Thread safety: all members may be called concurrently. The handler is called on the thread of each connection.
class http_endpoint {
public:
    using handler = std::function<http_reply(const http_request& request, const std::stop_token& stop)>;

    explicit http_endpoint(handler answer, const http_tls_files& tls = {});
    http_endpoint(const http_endpoint&) = delete;
    http_endpoint& operator=(const http_endpoint&) = delete;
    ~http_endpoint();

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    /// `http://127.0.0.1:PORT/path`
    [[nodiscard]] std::string uri(const std::string& path = "/hook") const;
    [[nodiscard]] std::vector<http_request> requests() const;
    [[nodiscard]] std::vector<std::string> bodies() const;
    [[nodiscard]] int connections() const noexcept { return accepted_; }
    /// Takes no connections any more, and ends those there are.
    void close();

private:
    class channel;
    struct client {
        std::shared_ptr<channel> to;
        std::jthread thread;
    };

    void accept(const std::stop_token& stop);
    void serve(const std::stop_token& stop, channel& with, int number);

    handler answer_;
    std::shared_ptr<void> tls_;  ///< SSL_CTX
    base::unique_fd listener_;
    std::uint16_t port_ = 0;
    std::atomic<int> accepted_ = 0;
    mutable std::mutex mutex_;
    std::vector<http_request> requests_;
    std::list<client> clients_;
    std::jthread acceptor_;
};

}  // namespace sluice::testing
