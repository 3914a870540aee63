#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "http/vital_signs.hpp"

namespace sluice::http {

/// When a watch looks, and how long it believes in an answer to come.
struct watch_timing {
    duration interval{std::chrono::seconds{2}};
    duration patience{std::chrono::seconds{5}};
};

/// Checks one thing again and again on a thread of its own, so that a check that hangs delays nobody but itself.
///
/// Thread safety: `sign` may be called by any thread.
class watch {
public:
    /// @param name  for debuggers, `top -H` and the log
    /// @param check  throws what is wrong; runs on the watch's thread only
    watch(std::string name, std::function<void()> check, watch_timing timing)
        : name_{std::move(name)}, check_{std::move(check)}, timing_{timing}, signs_{timing.patience} {}
    watch(const watch&) = delete;
    watch& operator=(const watch&) = delete;
    /// Waits for the check under way, however long it takes.
    ~watch() = default;

    /// @throws std::system_error when the process may have no more threads
    void start();
    void request_stop() noexcept { thread_.request_stop(); }
    /// False when a check is still under way at the deadline.
    [[nodiscard]] bool ended_by(instant deadline);

    [[nodiscard]] vital_sign sign() const;

private:
    void run(const std::stop_token& stop);
    void look();

    std::string name_;
    std::function<void()> check_;
    watch_timing timing_;
    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    vital_signs signs_;
    bool running_ = false;
    std::jthread thread_;  // last: joined before the rest goes
};

}  // namespace sluice::http
