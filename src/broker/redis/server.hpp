#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/hazard.hpp"
#include "broker/redis/endpoint.hpp"
#include "broker/redis/redis_broker.hpp"
#include "net/byte_stream.hpp"
#include "net/dial.hpp"
#include "net/tls_stream.hpp"

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
    [[nodiscard]] std::unique_ptr<net::byte_stream> dial(const net::deadline& until);

    /// False once the account turned out not to allow fencing.
    [[nodiscard]] bool fences() const noexcept { return fences_; }
    void note_fencing() noexcept { has_fenced_ = true; }
    /// For an account that may not fence. Logged the first time.
    /// @throws outage  it was allowed to before: then its rights will come back, and without the fence a former owner
    ///                 could publish beside its successor
    void give_up_fencing(std::string_view reason);

    /// True for the first who asks: once in the life of a process is enough.
    [[nodiscard]] bool is_to_be_asked_for_hazards() noexcept;
    void tell_hazards(const std::vector<hazard>& found) const;

private:
    [[nodiscard]] std::unique_ptr<net::byte_stream> encrypted(base::unique_fd socket, const net::deadline& until) const;

    redis_options options_;
    endpoint location_;
    net::resolver resolver_;
    std::atomic<bool> fences_{true};
    std::atomic<bool> has_fenced_{false};
    std::atomic<bool> asked_for_hazards_{false};
};

}  // namespace sluice::broker::redis
