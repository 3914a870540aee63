#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "broker/publisher.hpp"
#include "broker/webhook/incoming.hpp"

namespace sluice::broker::webhook {

/// Stores messages durably, as many as have come with one flush, on a thread of its own.
///
/// Thread safety: all members may be called concurrently. Its end drops what was not begun.
class inbox {
public:
    static constexpr std::size_t most_waiting = 1024;

    /// @param into  what keeps them; its verdict `delivered` means that they survive a power failure
    explicit inbox(std::unique_ptr<publisher> into);
    inbox(const inbox&) = delete;
    inbox& operator=(const inbox&) = delete;
    ~inbox();

    /// @param then  called on the inbox's thread once it is known what became of the message, or never
    /// @returns false when too many wait; then nothing was taken
    [[nodiscard]] bool put(received_message message, std::function<void(const verdict&)> then);

private:
    struct waiting {
        received_message message;
        std::function<void(const verdict&)> then;
    };

    void run();
    void store(const std::vector<waiting>& batch);

    std::unique_ptr<publisher> into_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<waiting> waiting_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace sluice::broker::webhook
