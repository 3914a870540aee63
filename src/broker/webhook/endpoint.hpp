#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::broker::webhook {

/// Where messages are posted to: a `webhook_options::uri` taken apart.
struct endpoint {
    bool tls = true;
    std::string host{};  ///< without brackets
    std::uint16_t port = 443;
    std::string path = "/";  ///< may hold `{stream}`
    std::string query{};     ///< with its question mark; may hold a secret

    /// For people: `https://partner.example/hooks`. Without the query.
    [[nodiscard]] std::string name() const;
    /// The value of `Host`.
    [[nodiscard]] std::string authority() const;
    /// What the request line names, for a message of that stream.
    [[nodiscard]] std::string target(std::string_view stream) const;
};

/// @throws configuration_error naming the part that is wrong and what is expected; the URI is not quoted
[[nodiscard]] endpoint read_endpoint(const std::string& uri);

}  // namespace sluice::broker::webhook
