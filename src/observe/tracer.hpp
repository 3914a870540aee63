#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <sluice/trace.hpp>

#include "observe/meter.hpp"

namespace sluice::observe {

class span_source;

/// What became of the spans that were recorded, since the start.
///
/// Thread safety: all members may be used concurrently.
struct span_counts {
    std::atomic<std::uint64_t> exported{0};
    std::atomic<std::uint64_t> queue_full{0};   ///< dropped: they came faster than they could be sent
    std::atomic<std::uint64_t> refused{0};      ///< dropped: the receiver does not want them
    std::atomic<std::uint64_t> undelivered{0};  ///< dropped: the receiver was away for too long, or the process ended
};

/// Hands every trace event to the log (one structured line each: `ok` at level debug, the rest as a warning) and to the
/// subscribers inside the process.
///
/// Thread safety: all members may be called concurrently. `subscribe` before the engine starts is seen by all events.
/// Subscribers run without a lock held, so a slow one delays only the thread that emits.
class tracer {
public:
    tracer(std::string domain, const clock& time);

    void subscribe(trace_subscriber subscriber);
    /// False while an event of status `ok` would reach nobody: whoever emits many of them need not build them.
    [[nodiscard]] bool wanted() const noexcept;
    /// Fills `domain` and `timestamp`, then logs and hands on. Never throws.
    void emit(trace_event event) const noexcept;

    /// Hands what is counted to one meter. Call it before the engine starts.
    void count_with(std::shared_ptr<meter> counts);
    /// Null while nobody counts.
    [[nodiscard]] std::shared_ptr<meter> counts() const noexcept;

    /// Begins to record spans. Once, before any work is done.
    /// @param counts  of those who take them; may be null
    void record_with(std::shared_ptr<const span_source> spans, std::shared_ptr<const span_counts> counts);
    /// Who begins spans; null while nobody wants any: then this is all that tracing costs.
    [[nodiscard]] const span_source* spans() const noexcept { return spans_.get(); }
    /// Null while nobody exports them.
    [[nodiscard]] const span_counts* spans_counted() const noexcept { return span_counts_.get(); }

private:
    using subscriber_list = std::vector<trace_subscriber>;
    [[nodiscard]] std::shared_ptr<const subscriber_list> subscribers() const noexcept;

    std::string domain_;
    const clock& clock_;
    mutable std::mutex mutex_;
    std::shared_ptr<const subscriber_list> subscribers_;
    std::shared_ptr<meter> counts_;
    std::shared_ptr<const span_source> spans_;
    std::shared_ptr<const span_counts> span_counts_;
};

}  // namespace sluice::observe
