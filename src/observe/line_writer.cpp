#include "observe/line_writer.hpp"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

namespace sluice::observe {

struct line_writer::state {
    state(int to, missing_line how, const queue_limits& limits) : fd{to}, tell{std::move(how)}, queue{limits} {}

    void run();
    [[nodiscard]] bool write_all(std::string_view text);
    [[nodiscard]] bool wait_for_room() const;
    [[nodiscard]] bool is_stopped() const {
        const std::lock_guard lock{mutex};
        return stopped;
    }

    /// @pre the mutex is held
    [[nodiscard]] bool is_done() const { return queue.empty() && !writing && (failing || !queue.owes()); }

    const int fd;
    const missing_line tell;
    mutable std::mutex mutex;
    std::condition_variable changed;
    line_queue queue;
    bool running = false;  ///< there is a thread
    bool writing = false;  ///< a line is in its hands
    bool stopped = false;
    bool failing = false;  ///< the last line could not be written
    bool torn = false;     ///< the last line was written in part; used by the thread only
};

namespace {

/// Signals are for other threads. A SIGPIPE of our own stays pending here and harms nobody.
void block_all_signals() {
    sigset_t all{};
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

void line_writer::state::run() {
    block_all_signals();
    pthread_setname_np(pthread_self(), "log");
    std::unique_lock lock{mutex};
    for (;;) {
        // After a failure it takes a new line to try again, and that brings the count with it.
        changed.wait(lock, [this] { return stopped || !queue.empty() || (queue.owes() && !failing); });
        if (stopped) return;
        const line_queue::entry next = queue.take();
        writing = true;
        lock.unlock();
        const bool written = write_all(next.missing > 0 ? tell(next.missing) : next.line);
        lock.lock();
        writing = false;
        failing = !written;
        if (failing) queue.give_back(next);
        changed.notify_all();
    }
}

/// True when there is room, or an error to be met by writing; false when the writer was stopped meanwhile.
bool line_writer::state::wait_for_room() const {
    constexpr int milliseconds = 100;
    while (!is_stopped()) {
        pollfd waited{.fd = fd, .events = POLLOUT, .revents = 0};
        if (fd < 0 || ::poll(&waited, 1, milliseconds) != 0) return true;
    }
    return false;
}

bool line_writer::state::write_all(std::string_view text) {
    const std::string mended = torn ? "\n" + std::string{text} : std::string{};
    if (torn) text = mended;
    bool begun = false;
    while (!text.empty()) {
        if (!wait_for_room()) return false;
        // What fits into a pipe at once is not mixed with the lines of other processes.
        const ssize_t count = ::write(fd, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) {  // another process made the descriptor non-blocking, and took the room
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
            continue;
        }
        if (count <= 0) {
            torn = torn || begun;
            return false;
        }
        begun = true;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    torn = false;
    return true;
}

line_writer::line_writer(int fd, missing_line tell, const queue_limits& limits)
    : state_{std::make_shared<state>(fd, std::move(tell), limits)} {}

line_writer::~line_writer() {
    const std::lock_guard lock{state_->mutex};
    state_->stopped = true;
    state_->changed.notify_all();
}

void line_writer::write(std::string line) noexcept {
    try {
        const std::lock_guard lock{state_->mutex};
        const bool was_idle = state_->queue.empty();
        state_->queue.push(std::move(line));
        if (!state_->running) {
            std::thread{[shared = state_] { shared->run(); }}.detach();
            state_->running = true;
        } else if (was_idle) {
            state_->changed.notify_all();
        }
    } catch (...) {
        // No memory or no thread for it: the next line tries again.
    }
}

bool line_writer::flush(duration patience) noexcept {
    try {
        std::unique_lock lock{state_->mutex};
        if (!state_->running) return state_->queue.empty();
        return state_->changed.wait_for(lock, patience, [this] { return state_->is_done(); });
    } catch (...) {
        return false;
    }
}

std::uint64_t line_writer::dropped() const noexcept {
    const std::lock_guard lock{state_->mutex};
    return state_->queue.dropped();
}

}  // namespace sluice::observe
