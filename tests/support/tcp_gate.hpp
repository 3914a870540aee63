#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <thread>

#include "base/unique_fd.hpp"
#include "base/wake.hpp"

namespace sluice::testing {

/// Stands between a client and a server on 127.0.0.1, and makes the network between them as bad as a test wants it.
///
/// Thread safety: all members may be called concurrently.
class tcp_gate {
public:
    explicit tcp_gate(std::uint16_t server_port);
    tcp_gate(const tcp_gate&) = delete;
    tcp_gate& operator=(const tcp_gate&) = delete;
    ~tcp_gate();

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

    /// New connections are closed at once, existing ones too.
    void refuse(bool on);
    /// What comes is kept back, in both directions.
    void stall(bool on);
    /// Only one byte of what the server says passes every `interval`; zero: all of it.
    void drip(std::chrono::milliseconds interval);
    /// So many bytes a second pass in each direction, and the sender is held back; zero: as many as come.
    void throttle(std::size_t bytes_a_second);
    /// Everything from the server is late by so much.
    void delay(std::chrono::milliseconds by);
    /// All connections are cut after so many more bytes from the server, once.
    void cut_after(std::size_t bytes_from_server);
    /// The server's side of all connections ends, ours stays open.
    void half_close();
    /// Nothing stands in the way any more.
    void open();

private:
    using clock = std::chrono::steady_clock;
    struct pipe {
        base::unique_fd client;
        base::unique_fd server;
        std::string to_server{};
        std::string to_client{};
        clock::time_point next_drip{};
        clock::time_point arrived{};
        clock::time_point throttled_since{};
        double to_server_allowance = 0;
        double to_client_allowance = 0;
        bool server_done = false;
        bool dead = false;
    };

    void run();
    void accept_one();
    void pump(pipe& through);
    void pump_to_client(pipe& through);
    void pump_slowly(pipe& through, std::size_t bytes_a_second);

    std::uint16_t server_port_;
    std::uint16_t port_ = 0;
    base::unique_fd listener_;
    base::wake_signal changed_;
    std::list<pipe> pipes_;
    std::atomic<bool> stopping_{false};
    std::atomic<bool> refusing_{false};
    std::atomic<bool> stalled_{false};
    std::atomic<std::int64_t> drip_ms_{0};
    std::atomic<std::size_t> throttle_{0};
    std::atomic<std::int64_t> delay_ms_{0};
    std::atomic<std::int64_t> cut_after_{-1};
    std::atomic<bool> half_closing_{false};
    std::thread thread_;
};

}  // namespace sluice::testing
