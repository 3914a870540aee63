#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <sluice/span.hpp>
#include <sluice/time.hpp>

#include "base/wake.hpp"
#include "observe/tracer.hpp"

namespace sluice::telemetry {

struct queue_limits {
    std::size_t spans = 8192;
    std::size_t bytes = std::size_t{16} << 20U;
    std::size_t batch = 512;  ///< that many are worth a request at once
};

/// Spans on their way to the exporter. What does not fit is dropped and counted; nobody ever waits for room.
///
/// Thread safety: all members may be called concurrently.
class span_queue {
public:
    span_queue(const queue_limits& limits, std::shared_ptr<observe::span_counts> counts);

    /// @param now  when the span ended
    void push(const finished_span& span, instant now);
    /// The oldest ones, no more than that.
    [[nodiscard]] std::vector<finished_span> take(std::size_t most);
    [[nodiscard]] std::size_t size() const;
    /// Since when the oldest one has waited; nothing when there is none.
    [[nodiscard]] std::optional<instant> waits_since() const;

    /// Notified when a span comes to an empty queue, and when there are enough for a batch.
    [[nodiscard]] base::wake_signal& signal() noexcept { return signal_; }

private:
    struct waiting {
        finished_span span;
        instant since{};
        std::size_t bytes = 0;
    };

    const queue_limits limits_;
    const std::shared_ptr<observe::span_counts> counts_;
    mutable std::mutex mutex_;
    std::deque<waiting> waiting_;
    std::size_t bytes_ = 0;
    base::wake_signal signal_;
};

/// About what a span takes in memory.
[[nodiscard]] std::size_t size_of(const finished_span& span);

}  // namespace sluice::telemetry
