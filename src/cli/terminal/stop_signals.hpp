#pragma once

#include <signal.h>

#include <chrono>
#include <optional>

#include "base/unique_fd.hpp"

namespace sluice::cli {

/// SIGINT, SIGTERM and, unless it is ignored, SIGHUP as something to wait for, instead of something that interrupts.
///
/// Make it before any other thread is started: threads inherit the blocked signals. SIGPIPE is ignored from then on, so
/// that a broker that hangs up is an error of that broker and not the end of the process.
///
/// Thread safety: belongs to one thread.
class stop_signals {
public:
    stop_signals();
    stop_signals(const stop_signals&) = delete;
    stop_signals& operator=(const stop_signals&) = delete;

    /// Readable when a signal has come.
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    /// The signal that has come, without waiting.
    [[nodiscard]] std::optional<int> poll() noexcept;
    /// Waits for a signal and returns it.
    [[nodiscard]] int wait();
    /// Waits no longer than that, when it is said. Nothing when no signal has come.
    [[nodiscard]] std::optional<int> wait(std::optional<std::chrono::milliseconds> patience);
    /// From now on a signal ends the process at once, the usual way. What follows the first signal within a tenth of a
    /// second is its echo and does not count: `timeout` and some supervisors signal the process and then its group.
    void release();

private:
    [[nodiscard]] bool wait_for(int milliseconds);

    sigset_t signals_{};
    base::unique_fd fd_;
};

}  // namespace sluice::cli
