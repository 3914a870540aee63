#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/wake.hpp"
#include "consume/attempt.hpp"

namespace sluice::consume {

/// The threads that run the handlers of one subscription, when more than one message is handled at a time. They do
/// nothing else: reading, acknowledging and claims stay with the subscription's own thread, which a result wakes.
///
/// The threads inherit the signal mask of the thread that makes the pool.
///
/// Thread safety: belongs to the thread of its subscription.
class handler_pool {
public:
    struct finished {
        parcel_number number{};
        attempt made;
    };

    /// @param done  notified with each result; must outlive the pool
    /// @throws std::system_error when the process may have no more threads
    handler_pool(std::size_t threads, base::wake_signal& done);
    handler_pool(const handler_pool&) = delete;
    handler_pool& operator=(const handler_pool&) = delete;
    /// Waits for what runs, and drops what was not begun.
    ~handler_pool();

    /// Returns at once. Give no more than there are threads before results are taken, or it waits for its turn.
    /// @param work  must not throw
    void give(std::function<std::vector<finished>()> work);
    /// What was finished since the last call.
    [[nodiscard]] std::vector<finished> take_finished();

private:
    void serve(const std::stop_token& stop);

    base::wake_signal& done_;
    std::mutex mutex_;
    std::condition_variable_any given_;
    std::deque<std::function<std::vector<finished>()>> tasks_;
    std::vector<finished> finished_;
    std::vector<std::jthread> threads_;  // last: joined before the rest goes
};

}  // namespace sluice::consume
