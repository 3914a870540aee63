#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include <nats/nats.h>

#include "base/wake.hpp"

namespace sluice::broker::nats {

/// Moves the bytes of one connection between the library and its socket, so that no call of the library ever waits for
/// the network: what is published is appended to a buffer, and this thread writes it when the socket takes it.
///
/// Only this thread closes the connection while it is in use: another one could close the socket under a read. So it
/// also judges whether the server is silent for too long; the library only sends the pings.
///
/// Thread safety: `hang_up` and `end` may be called by any thread; the rest is for the library. Lifetime: it must
/// outlive the connection's last call.
class socket_loop {
public:
    /// @param closed  called once, by whatever thread, when the connection is closed; gets the reason
    /// @param patience  with a silent server, before it is taken for lost
    socket_loop(std::function<void(std::string reason)> closed, std::chrono::milliseconds patience);
    socket_loop(const socket_loop&) = delete;
    socket_loop& operator=(const socket_loop&) = delete;
    ~socket_loop() { end(); }

    /// Makes a connection to be use this loop.
    [[nodiscard]] natsStatus serve(natsOptions* of);
    /// Between the two, what is to be written only gathers in the library's buffer, and goes as one at the end.
    void hold_writes() noexcept { holds_writes_ = true; }
    void let_writes_go() noexcept;
    /// Cuts the connection without waiting for what is not written yet, and lets the thread close it.
    void hang_up() noexcept;
    /// Ends the thread. No call reaches the library after that.
    void end() noexcept;

private:
    static natsStatus attach(void** self, void* loop, natsConnection* connection, natsSock socket);
    static natsStatus read(void* self, bool add);
    static natsStatus write(void* self, bool add);
    static natsStatus detach(void* self);

    void run(const std::stop_token& stop);
    void cut_when_silent(std::chrono::steady_clock::time_point heard) noexcept;

    std::function<void(std::string)> closed_;
    std::chrono::milliseconds patience_;
    std::atomic<bool> holds_writes_{false};
    std::mutex mutex_;
    natsConnection* connection_ = nullptr;  ///< not ours; null before it is there and after it was closed
    int socket_ = -1;
    bool reads_ = false;
    bool writes_ = false;
    bool is_silent_ = false;
    std::condition_variable detached_;
    base::wake_signal changed_;
    std::jthread thread_;
};

}  // namespace sluice::broker::nats
