#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::http {

struct http_answer {
    unsigned status = 200;
    std::string content_type = "application/json";
    std::string body;
};

struct http_settings {
    std::string host = "127.0.0.1";  ///< name or address to listen on
    std::uint16_t port = 8080;       ///< 0: any free one
    int ports_to_try = 1;            ///< the port and those after it
    std::size_t max_connections = 64;
    std::size_t max_header_bytes = 8192;
    std::chrono::milliseconds request_time{5000};  ///< for a request to arrive, and for its answer to leave
};

/// A small HTTP/1.1 server for probes and scrapes: GET and HEAD, one request per connection, bodies are not read.
///
/// Whoever connects is not trusted: the header, the number of connections and the time of each are bounded. When there
/// are too many connections the oldest is closed, so that clients which send nothing cannot lock out a probe.
///
/// Everything runs on one thread of its own; it never waits for anything but its clients. Signals that the
/// application waits for must be blocked before it is made.
///
/// Thread safety: all members may be called concurrently.
class http_server {
public:
    /// Answers a path, without its query. Runs on the server's thread: be quick. What it throws becomes a 500.
    using handler = std::function<http_answer(std::string_view path)>;

    /// Listens and serves at once.
    /// @param key  the configuration key to name when the port cannot be had
    /// @throws configuration_error naming address and key when the address cannot be listened on
    http_server(const http_settings& settings, handler answer, const std::string& key);
    http_server(const http_server&) = delete;
    http_server& operator=(const http_server&) = delete;
    /// Closes all connections.
    ~http_server();

    [[nodiscard]] std::uint16_t port() const noexcept;
    /// `127.0.0.1:8080`
    [[nodiscard]] std::string address() const;

private:
    class engine;
    std::unique_ptr<engine> engine_;
};

}  // namespace sluice::http
