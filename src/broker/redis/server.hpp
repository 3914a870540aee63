#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "broker/redis/byte_stream.hpp"
#include "broker/redis/dial.hpp"
#include "broker/redis/endpoint.hpp"
#include "broker/redis/redis_broker.hpp"
#include "broker/redis/tls_stream.hpp"

namespace sluice::broker::redis {

/// One configured server and what all connections of this process know about it.
///
/// Thread safety: may be used concurrently.
class server {
public:
    /// @throws configuration_error
    explicit server(redis_options options);

    [[nodiscard]] const redis_options& options() const noexcept { return options_; }
    [[nodiscard]] const endpoint& location() const noexcept { return location_; }
    [[nodiscard]] date_time now() const { return (options_.time != nullptr ? *options_.time : system_clock()).now(); }

    /// A new stream to the server, TLS included. @throws outage
    [[nodiscard]] std::unique_ptr<byte_stream> dial(const deadline& until);

    /// False once the account turned out not to allow fencing.
    [[nodiscard]] bool fences() const noexcept { return fences_; }
    /// Logged the first time.
    void give_up_fencing(std::string_view reason);

private:
    redis_options options_;
    endpoint location_;
    resolver resolver_;
    std::optional<tls_context> tls_;
    std::atomic<bool> fences_{true};
};

}  // namespace sluice::broker::redis
