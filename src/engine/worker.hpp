#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "base/backoff.hpp"

namespace sluice::engine {

/// One thread of the engine and its supervisor: a loop that ends by an exception is logged and started again after
/// 1, 2, 4 … 30 seconds. Nothing that happens inside ends the process or another worker.
///
/// Thread safety: all members may be called concurrently; `start` once.
class worker {
public:
    /// Returns when the stop is requested; anything else counts as a failure.
    using loop = std::function<void(const std::stop_token&)>;

    struct health {
        bool running = false;
        bool waiting = false;  ///< between a failure and the next start
        int restarts = 0;
        std::string last_failure;  ///< one line; empty when there was none
    };

    /// @param name  for people: `lane default:partner_events`
    /// @param pauses  before a loop that failed starts again
    worker(std::string name, loop body, base::backoff pauses = {})
        : name_{std::move(name)}, body_{std::move(body)}, pauses_{pauses} {}
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;
    /// Waits until the loop has returned, for as long as that takes: what the loop uses may be destroyed afterwards.
    ~worker() = default;

    /// @throws std::system_error when the process may have no more threads
    void start();
    void request_stop() noexcept { thread_.request_stop(); }
    /// False when the loop has not returned by the deadline.
    [[nodiscard]] bool ended_by(std::chrono::steady_clock::time_point deadline);

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] health state() const;

private:
    void supervise(const std::stop_token& stop);
    [[nodiscard]] std::string attempt(const std::stop_token& stop);
    void set_running(bool running);

    std::string name_;
    loop body_;
    base::backoff pauses_;
    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    health health_;
    std::jthread thread_;  // last: joined before the rest goes
};

}  // namespace sluice::engine
