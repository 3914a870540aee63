#include "broker/nats/socket_loop.hpp"

#include <array>
#include <utility>

#include <poll.h>
#include <sys/socket.h>

#include "base/one_line.hpp"
#include "base/signal_mask.hpp"

namespace sluice::broker::nats {
namespace {

constexpr std::size_t longest_loop_reason = 200;

std::string last_error_of(natsConnection* connection) {
    const char* text = nullptr;
    const natsStatus status = natsConnection_GetLastError(connection, &text);
    if (text != nullptr && *text != '\0') return base::one_line(text, longest_loop_reason);
    return status == NATS_OK ? "the connection was closed"
                             : base::one_line(natsStatus_GetText(status), longest_loop_reason);
}

}  // namespace

socket_loop::socket_loop(std::function<void(std::string)> closed, std::chrono::milliseconds patience)
    : closed_{std::move(closed)}, patience_{patience}, thread_{[this](const std::stop_token& stop) { run(stop); }} {}

natsStatus socket_loop::serve(natsOptions* of) {
    return natsOptions_SetEventLoop(of, this, attach, read, write, detach);
}

natsStatus socket_loop::attach(void** self, void* loop, natsConnection* connection, natsSock socket) {
    *self = loop;
    auto& us = *static_cast<socket_loop*>(loop);
    {
        const std::lock_guard lock{us.mutex_};
        us.connection_ = connection;
        us.socket_ = socket;
        us.reads_ = true;
        us.writes_ = false;
    }
    us.changed_.notify();
    return NATS_OK;
}

natsStatus socket_loop::read(void* self, bool add) {
    auto& us = *static_cast<socket_loop*>(self);
    {
        const std::lock_guard lock{us.mutex_};
        us.reads_ = add;
    }
    us.changed_.notify();
    return NATS_OK;
}

natsStatus socket_loop::write(void* self, bool add) {
    auto& us = *static_cast<socket_loop*>(self);
    {
        const std::lock_guard lock{us.mutex_};
        us.writes_ = add;
    }
    if (add && !us.holds_writes_) us.changed_.notify();
    return NATS_OK;
}

void socket_loop::let_writes_go() noexcept {
    holds_writes_ = false;
    const std::lock_guard lock{mutex_};
    if (writes_) changed_.notify();
}

natsStatus socket_loop::detach(void* self) {
    auto& us = *static_cast<socket_loop*>(self);
    natsConnection* gone = nullptr;
    bool was_silent = false;
    {
        const std::lock_guard lock{us.mutex_};
        gone = std::exchange(us.connection_, nullptr);
        was_silent = us.is_silent_;
        us.socket_ = -1;
        us.reads_ = us.writes_ = false;
    }
    if (gone != nullptr) us.closed_(was_silent ? "the server said nothing for too long" : last_error_of(gone));
    us.detached_.notify_all();
    return NATS_OK;
}

void socket_loop::hang_up() noexcept {
    constexpr std::chrono::seconds longest_close{1};
    std::unique_lock lock{mutex_};
    if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
    detached_.wait_for(lock, longest_close, [this] { return connection_ == nullptr; });
}

void socket_loop::cut_when_silent(std::chrono::steady_clock::time_point heard) noexcept {
    const std::lock_guard lock{mutex_};
    if (socket_ < 0 || std::chrono::steady_clock::now() - heard < patience_) return;
    is_silent_ = true;
    ::shutdown(socket_, SHUT_RDWR);
}

void socket_loop::end() noexcept {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    changed_.notify();
    thread_.join();
}

void socket_loop::run(const std::stop_token& stop) {
    const base::blocked_signals none;
    constexpr int looks_per_silence = 10;
    const auto look_again = static_cast<int>(patience_.count() / looks_per_silence);
    natsConnection* served = nullptr;
    auto heard = std::chrono::steady_clock::now();
    while (!stop.stop_requested()) {
        std::array<pollfd, 2> sources{pollfd{.fd = changed_.fd(), .events = POLLIN, .revents = 0},
                                      pollfd{.fd = -1, .events = 0, .revents = 0}};
        {
            const std::lock_guard lock{mutex_};
            if (served != connection_) heard = std::chrono::steady_clock::now();
            served = connection_;
            if (reads_ || writes_) sources[1].fd = socket_;
            sources[1].events = static_cast<short>((reads_ ? POLLIN : 0) | (writes_ ? POLLOUT : 0));
        }
        if (::poll(sources.data(), sources.size(), served == nullptr ? -1 : look_again) < 0) continue;
        if (sources[0].revents != 0) changed_.drain();
        // The library looks itself whether the connection is still open.
        const int happened = sources[1].revents;
        if ((happened & (POLLIN | POLLHUP | POLLERR)) != 0) {
            heard = std::chrono::steady_clock::now();
            natsConnection_ProcessReadEvent(served);
        } else {
            cut_when_silent(heard);
        }
        if ((happened & POLLOUT) != 0) natsConnection_ProcessWriteEvent(served);
    }
}

}  // namespace sluice::broker::nats
