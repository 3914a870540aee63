#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::broker::nats {

/// Where servers of one cluster are and who we are there: a `nats_options::uri` taken apart.
struct endpoint {
    struct host {
        std::string name;
        std::uint16_t port = 4222;

        friend bool operator==(const host&, const host&) = default;
    };

    std::vector<host> hosts{};
    std::string user{};
    std::string password{};
    std::string token{};
    bool tls = false;

    /// For people: `one:4222,two:4222`. No credentials.
    [[nodiscard]] std::string name() const;
};

/// `one:4222`, `[::1]:4222`
[[nodiscard]] std::string to_string(const endpoint::host& of);

/// @throws configuration_error naming the part that is wrong and what is expected; it quotes neither address nor secret
[[nodiscard]] endpoint parse_uri(const std::string& uri);

}  // namespace sluice::broker::nats
