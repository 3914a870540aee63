#pragma once

#include <string>
#include <string_view>

#include <sluice/message.hpp>
#include <sluice/time.hpp>

#include "consume/route.hpp"
#include "consume/subscription_plan.hpp"
#include "observe/tracer.hpp"

namespace sluice::consume {

/// Tells the tracer what happens to the messages of one subscription: handler.started, handler.completed,
/// handler.failed, handler.skipped, message.acked, message.nacked and message.dlq, what its circuit breaker does,
/// and message.dropped; and counts them.
///
/// A message that could not be read is named by the broker's id of its entry, and its type is `unknown`.
///
/// Thread safety: const members may be called concurrently. Nothing throws.
class message_trace {
public:
    /// Both must outlive it; `worker` is the consumer's name.
    message_trace(const observe::tracer& tracer, const route& what, std::string worker)
        : tracer_{tracer}, route_{what}, worker_{std::move(worker)} {}

    void started(const parcel& what) const noexcept;
    void completed(const parcel& what, duration took) const noexcept;
    void failed(const parcel& what, std::string_view reason, duration took) const noexcept;
    void skipped(const parcel& what, date_time deadline) const noexcept;
    void acknowledged(std::size_t source, const receipt& what) const noexcept;
    void deferred(const put_off& what, int max_attempts) const noexcept;
    void buried(const set_aside& what) const noexcept;
    /// Of a subscription without dead letters; this is a line at error level.
    void dropped(const set_aside& what) const noexcept;
    void breaker(const breaker_turned& what, int threshold) const noexcept;

private:
    void count(std::size_t source, observe::handling what, duration took = {}) const noexcept;
    void given_up(const char* event, const set_aside& what) const;
    [[nodiscard]] trace_event describe(const char* event, const char* status, std::size_t source,
                                       const std::string& entry, const std::optional<message>& content) const;

    const observe::tracer& tracer_;
    const route& route_;
    std::string worker_;
};

}  // namespace sluice::consume
