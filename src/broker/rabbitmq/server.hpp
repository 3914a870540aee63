#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "broker/operations.hpp"
#include "broker/rabbitmq/endpoint.hpp"
#include "broker/rabbitmq/rabbitmq_broker.hpp"
#include "net/byte_stream.hpp"
#include "net/deadline.hpp"
#include "net/dial.hpp"

namespace sluice::broker::rabbitmq {

/// What is called from time to time while nobody uses it.
class pulsing {
public:
    virtual ~pulsing() = default;
    virtual void pulse() noexcept = 0;
};

/// One configured server and what all connections of this process know about it.
///
/// Thread safety: may be used concurrently.
class server {
public:
    /// @throws configuration_error
    explicit server(rabbitmq_options options);
    server(const server&) = delete;
    server& operator=(const server&) = delete;
    ~server();

    [[nodiscard]] const rabbitmq_options& options() const noexcept { return options_; }
    [[nodiscard]] const endpoint& location() const noexcept { return location_; }
    [[nodiscard]] duration heartbeat() const noexcept { return std::chrono::seconds{options_.heartbeat_seconds}; }

    /// A new stream to the server, TLS included. @throws outage
    [[nodiscard]] std::unique_ptr<net::byte_stream> dial(const net::deadline& until);

    /// A group that this process reads for.
    void remember(const known_group& group);
    [[nodiscard]] std::vector<known_group> known_groups() const;

    /// From now on `each` is called every third of a heartbeat, by a thread that begins with the first.
    void keep_alive(const std::shared_ptr<pulsing>& each);

private:
    void pulse(const std::stop_token& stop);

    rabbitmq_options options_;
    endpoint location_;
    net::resolver resolver_;
    mutable std::mutex mutex_;
    std::vector<known_group> groups_;
    std::condition_variable_any changed_;
    std::vector<std::weak_ptr<pulsing>> alive_;
    std::jthread thread_;
};

}  // namespace sluice::broker::rabbitmq
