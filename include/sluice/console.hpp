#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

class application;

/// A request as it came to the HTTP server of a program. Nothing is decoded.
///
/// Thread safety: a value type.
struct web_request {
    std::string method{};  ///< `GET`, `POST`; a HEAD is asked as GET, and its body not sent
    std::string path{};    ///< before the `?`: `/console/contexts/shop/rows`
    std::string query{};   ///< behind it
    std::vector<std::pair<std::string, std::string>> headers{};  ///< names in lower case
    std::string body{};         ///< whole; limit it, a form of the console has less than a megabyte
    std::string client{};       ///< address of the other end of the connection, without its port
    bool is_encrypted = false;  ///< it came over TLS
};

/// What is to be sent back, together with a length, the date and whatever the server adds.
///
/// Thread safety: a value type.
struct web_response {
    unsigned status = 200;
    std::string content_type{};  ///< may be empty
    std::string body{};
    std::vector<std::pair<std::string, std::string>> headers{};  ///< further ones, in order; names may come twice
};

/// What the console is told about the server that shows it.
///
/// Thread safety: a value type.
struct console_site_options {
    /// Where that server listens, a name or an address. At another one than loopback people must be able to prove who
    /// they are.
    std::string host = "127.0.0.1";
};

/// The web console and the REST interface of an application (docs/console.md), for an HTTP server that the program has
/// already:
///
/// @code
/// sluice::console_site console{app};
/// // for each request, on any thread:
/// if (console.serves(request.path)) send(console.answer(request));
/// @endcode
///
/// Users, tokens, roles and redaction are those of `[console]`; `host`, `port` and TLS of it do not count.
///
/// Thread safety: all members may be called concurrently. Lifetime: the application must outlive it, and may be
/// started and stopped meanwhile.
///
/// Needs the CMake target `sluice::application_console`.
class console_site {
public:
    /// @throws configuration_error  it is switched off, or would be open to others and nobody could prove who they are
    explicit console_site(application& of, console_site_options options = {});
    console_site(console_site&&) noexcept;
    console_site& operator=(console_site&&) noexcept;
    ~console_site();

    /// True for `/console`, `/api/v1` and what is below them.
    [[nodiscard]] bool serves(std::string_view path) const noexcept;
    /// Asks databases and brokers and waits for them: call it where that delays nobody else. Throws nothing but what
    /// allocation throws: trouble becomes an answer.
    [[nodiscard]] web_response answer(const web_request& request);

private:
    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

}  // namespace sluice
