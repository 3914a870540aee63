#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::http {

using header_fields = std::vector<std::pair<std::string, std::string>>;

/// What a client asks for, as it was sent: nothing is decoded.
struct http_request {
    std::string method{};     ///< `GET`; a HEAD is one, too
    std::string path{};       ///< before the `?`
    std::string query{};      ///< behind it
    header_fields headers{};  ///< names in lower case
    std::string body{};
    std::string client{};       ///< address of the other end, without its port
    bool is_encrypted = false;  ///< it came over TLS

    /// The value of a header that was sent once; empty when it was not sent, or several times.
    [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
    /// The values of a header that is a list, however often it was sent, with commas between them (RFC 9110, 5.3).
    [[nodiscard]] std::string list(std::string_view name) const;
};

struct http_answer {
    unsigned status = 200;
    std::string content_type = "application/json";
    std::string body{};
    header_fields headers{};  ///< further ones; a `cache-control` replaces `no-store`
};

struct http_settings {
    std::string host = "127.0.0.1";  ///< name or address to listen on
    std::uint16_t port = 8080;       ///< 0: any free one
    int ports_to_try = 1;            ///< the port and those after it
    std::size_t max_connections = 64;
    std::size_t max_header_bytes = 8192;
    std::chrono::milliseconds request_time{5000};  ///< for a request to arrive, and for its answer to leave
    std::string section = "server.health";         ///< of the configuration, for errors
};

/// Two PEM files: a chain of certificates, and the key of the first.
struct server_certificate {
    std::filesystem::path certificate_file{};
    std::filesystem::path key_file{};
};

/// Something that is served beside the probes and may take its time: it answers on threads of its own.
struct http_mount {
    std::vector<std::string> prefixes{};  ///< `/console`: that path and those below it
    /// Runs on several threads at a time. What it throws becomes a 500.
    std::function<http_answer(const http_request& request)> answer{};
    std::size_t max_body_bytes = 1'048'576;
    std::size_t threads = 2;
    /// What it shows over TLS, as the files are when the server is made. Who asks for the mount without TLS is sent to
    /// `https://`; the probes are answered either way, on the same port.
    std::optional<server_certificate> certificate{};
    std::size_t max_waiting = 32;  ///< requests that are being answered or wait for it; more get a 503

    [[nodiscard]] bool has(std::string_view path) const noexcept;
};

/// A small HTTP/1.1 server for probes, scrapes and the console: one request per connection. Probes are GET and HEAD,
/// and their bodies are not read.
///
/// Whoever connects is not trusted: header, body, the number of connections and the time of each are bounded. When
/// there are too many connections the oldest is closed, so that clients which send nothing cannot lock out a probe.
///
/// Everything but a mount runs on one thread of its own; it never waits for anything but its clients. Signals that the
/// application waits for must be blocked before it is made.
///
/// Thread safety: all members may be called concurrently.
class http_server {
public:
    /// Answers a request whose body is not read. Runs on the server's thread: be quick. What it throws becomes a 500.
    using handler = std::function<http_answer(const http_request& request)>;

    /// Listens and serves at once.
    /// @param key  the configuration key to name when the port cannot be had
    /// @param mounted  what it answers from must outlive the server
    /// @throws configuration_error naming address and key when the address cannot be listened on, or the file of a
    /// certificate that cannot be used
    http_server(const http_settings& settings, handler answer, const std::string& key, http_mount mounted = {});
    http_server(const http_server&) = delete;
    http_server& operator=(const http_server&) = delete;
    /// Closes all connections, and waits for what the mount is answering.
    ~http_server();

    [[nodiscard]] std::uint16_t port() const noexcept;
    /// `127.0.0.1:8080`
    [[nodiscard]] std::string address() const;
    /// Hands nothing more to the mount. False when it is still answering after `patience`: then the process should end
    /// without destroying this.
    [[nodiscard]] bool leave(std::chrono::milliseconds patience);

private:
    class engine;
    std::unique_ptr<engine> engine_;
};

}  // namespace sluice::http
