#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sluice/message.hpp>
#include <sluice/time.hpp>

#include "consume/route.hpp"
#include "consume/subscription_plan.hpp"
#include "observe/span.hpp"
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
    /// @param system  `messaging.system` of the broker
    message_trace(const observe::tracer& tracer, const route& what, std::string worker, std::string system)
        : tracer_{tracer}, route_{what}, worker_{std::move(worker)}, system_{std::move(system)} {}

    /// Records the span of one look for messages that found some, and links it to what brought them about.
    void received(std::size_t source, const std::vector<arrival>& found, base::moment begin) const noexcept;
    /// Begins the span of an attempt: it is part of the trace that the message belongs to. Nothing while no spans are
    /// recorded.
    [[nodiscard]] observe::span handling(const parcel& what) const noexcept;

    void started(const parcel& what) const noexcept;
    // The attempt's span is that of the current thread, if there is one: its trace becomes the exemplar of the time
    // taken.
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
    void name_operation(observe::span& of, const char* what, std::size_t source) const;
    [[nodiscard]] trace_event describe(const char* event, const char* status, std::size_t source,
                                       const std::string& entry, const std::optional<message>& content) const;

    const observe::tracer& tracer_;
    const route& route_;
    std::string worker_;
    std::string system_;
};

}  // namespace sluice::consume
