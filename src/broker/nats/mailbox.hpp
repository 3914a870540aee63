#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "base/wake.hpp"
#include "envelope/header.hpp"

namespace sluice::broker::nats {

/// A message that came to an inbox of ours.
struct incoming {
    std::string token{};  ///< what it is an answer to; empty for a message out of a stream
    std::string reply{};  ///< where it is to be acknowledged; empty: nowhere
    std::string data{};
    int status = 0;             ///< of the server itself: 503 without anybody who answers, 404, 408, 409, 100; else 0
    std::string description{};  ///< beside the status
    envelope::header_list head{};
};

/// Where the library's threads put what has come, and one thread of ours finds it.
///
/// Thread safety: may be used concurrently, but `take` by one thread.
class mailbox {
public:
    void put(incoming message);
    /// No more will come. The first reason counts.
    void close(std::string reason);

    /// Everything there is, in the order of its coming.
    [[nodiscard]] std::deque<incoming> take();
    /// Until the next `take` it becomes readable only when so many are there: each wake-up costs more than a message.
    void wake_at(std::size_t messages);
    /// Why nothing more will come; nothing while it may.
    [[nodiscard]] std::optional<std::string> closed() const;
    /// Readable when `take` would give something (see `wake_at`), or it was closed.
    [[nodiscard]] int fd() const noexcept { return signal_.fd(); }

private:
    mutable std::mutex mutex_;
    std::deque<incoming> waiting_;
    std::size_t wake_at_ = 1;
    std::optional<std::string> closed_;
    base::wake_signal signal_;
};

}  // namespace sluice::broker::nats
