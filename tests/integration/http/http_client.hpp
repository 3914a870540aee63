#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <sluice/json.hpp>

#include "base/unique_fd.hpp"

namespace sluice::testing {

struct http_response {
    int status = 0;  ///< 0: no answer
    std::string head;
    std::string body;

    [[nodiscard]] json::value json() const { return json::parse(body); }
};

/// A TCP connection to a port of 127.0.0.1 that says what a test wants it to say.
class raw_client {
public:
    explicit raw_client(std::uint16_t port);

    [[nodiscard]] bool connected() const noexcept { return static_cast<bool>(socket_); }
    bool send(std::string_view text) const;
    /// Everything until the other side closes, or nothing comes for a minute.
    [[nodiscard]] std::string read_all() const;
    [[nodiscard]] http_response read_response() const;

private:
    base::unique_fd socket_;
};

/// @param headers  lines that end with CR and LF
[[nodiscard]] http_response http_get(std::uint16_t port, std::string_view path, std::string_view method = "GET",
                                     std::string_view headers = {});

}  // namespace sluice::testing
