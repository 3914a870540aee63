#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "broker/webhook/endpoint.hpp"
#include "net/byte_stream.hpp"
#include "net/deadline.hpp"
#include "net/dial.hpp"
#include "net/tls_trust.hpp"

namespace sluice::broker::webhook {

/// Connects to one endpoint. Each time the host is looked up anew, and each address is judged before it is connected
/// to: what a name meant a moment ago proves nothing.
///
/// Thread safety: may be used concurrently.
class dialer {
public:
    using lookup = std::function<std::vector<net::socket_address>(const std::string& host, std::uint16_t port)>;

    /// @param lookup_instead  of the system's; null: the system's
    /// @throws configuration_error  a file of `trust` cannot be used
    dialer(endpoint to, net::tls_trust trust, bool allow_private, duration connect_timeout, lookup lookup_instead);

    /// A new stream, TLS included. It takes no longer than the time to connect.
    /// @throws net::outage naming the endpoint
    [[nodiscard]] std::unique_ptr<net::byte_stream> dial(const net::deadline& until);

    [[nodiscard]] const endpoint& to() const noexcept { return to_; }

private:
    [[nodiscard]] std::vector<net::socket_address> find_addresses(const net::deadline& until);
    [[nodiscard]] std::unique_ptr<net::byte_stream> connect(const net::deadline& until);

    endpoint to_;
    net::tls_trust trust_;
    bool allow_private_;
    duration connect_timeout_;
    lookup lookup_;
    net::resolver resolver_;
};

}  // namespace sluice::broker::webhook
