#pragma once

#include <cstdint>
#include <string>

#include "broker/redis/redis_broker.hpp"

namespace sluice::broker::redis {

/// Where a server is and who we are there: a `redis_options::uri` taken apart.
struct endpoint {
    std::string host{};  ///< empty for a socket
    std::uint16_t port = 6379;
    std::string path{};  ///< of a socket
    std::string user{};
    std::string password{};
    std::uint32_t database = 0;
    bool tls = false;
    net::tls_trust trust{};

    /// For people: `partner-redis:6379/0`, `unix:/run/redis.sock/0`. No credentials.
    [[nodiscard]] std::string name() const;
};

/// @param trust  what the URI's own parameters do not say
/// @throws configuration_error naming the part that is wrong and what is expected; it quotes neither URI nor password
[[nodiscard]] endpoint parse_uri(const std::string& uri, net::tls_trust trust = {});

}  // namespace sluice::broker::redis
