#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <sluice/trace.hpp>

#include "observe/meter.hpp"

namespace sluice::observe {

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

private:
    using subscriber_list = std::vector<trace_subscriber>;
    [[nodiscard]] std::shared_ptr<const subscriber_list> subscribers() const noexcept;

    std::string domain_;
    const clock& clock_;
    mutable std::mutex mutex_;
    std::shared_ptr<const subscriber_list> subscribers_;
    std::shared_ptr<meter> counts_;
};

}  // namespace sluice::observe
