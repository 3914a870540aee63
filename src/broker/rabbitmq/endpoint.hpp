#pragma once

#include <cstdint>
#include <string>

#include "net/tls_trust.hpp"

namespace sluice::broker::rabbitmq {

/// Where a server is and who we are there: a `rabbitmq_options::uri` taken apart.
struct endpoint {
    std::string host = "localhost";
    std::uint16_t port = 5672;
    std::string user = "guest";
    std::string password = "guest";
    std::string vhost = "/";
    bool tls = false;
    net::tls_trust trust{};

    /// For people: `rabbit.example:5672/shop`. No credentials.
    [[nodiscard]] std::string name() const;
};

/// @param trust  what the URI's own parameters do not say
/// @throws configuration_error naming the part that is wrong and what is expected; it quotes neither URI nor password
[[nodiscard]] endpoint parse_uri(const std::string& uri, net::tls_trust trust = {});

}  // namespace sluice::broker::rabbitmq
