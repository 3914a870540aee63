#include "observe/tracer.hpp"

#include <exception>
#include <utility>

#include "observe/log.hpp"
#include "observe/span.hpp"

namespace sluice::observe {

namespace {

/// A message that is gone for good is the worst that a line can tell.
level level_of(const trace_event& event) {
    if (event.event == "message.dropped") return level::error;
    return event.status == "ok" ? level::debug : level::warn;
}

void write_line(const trace_event& event) {
    const auto lv = level_of(event);
    if (!log_enabled(lv)) return;
    const span_scope of_the_event{event.traceparent ? &*event.traceparent : nullptr};
    log(lv, event.event,
        {{"status", event.status},
         {"stream", event.stream},
         {"message_id", event.message_id},
         {"type", event.message_type},
         {"broker", event.broker},
         {"handler", event.handler},
         {"error", event.error},
         {"metadata", json::dump(event.metadata)},
         {"correlation_id", event.correlation_id.value_or("")},
         {"worker_id", event.worker_id}});
}

void hand_to(const trace_subscriber& subscriber, const trace_event& event) noexcept {
    try {
        subscriber(event);
    } catch (const std::exception& problem) {
        log(level::warn, "trace.subscriber_failed", {{"event", event.event}, {"error", problem.what()}});
    } catch (...) {
        log(level::warn, "trace.subscriber_failed", {{"event", event.event}});
    }
}

}  // namespace

tracer::tracer(std::string domain, const clock& time)
    : domain_{std::move(domain)}, clock_{time}, subscribers_{std::make_shared<const subscriber_list>()} {}

void tracer::subscribe(trace_subscriber subscriber) {
    const std::lock_guard lock{mutex_};
    auto extended = *subscribers_;
    extended.push_back(std::move(subscriber));
    subscribers_ = std::make_shared<const subscriber_list>(std::move(extended));
}

bool tracer::wanted() const noexcept { return log_enabled(level::debug) || !subscribers()->empty(); }

void tracer::emit(trace_event event) const noexcept {
    try {
        event.domain = domain_;
        event.timestamp = clock_.now();
        write_line(event);
    } catch (...) {
        // A trace that cannot be written disturbs nothing.
    }
    for (const auto& subscriber : *subscribers()) hand_to(subscriber, event);
}

void tracer::count_with(std::shared_ptr<meter> counts) {
    const std::lock_guard lock{mutex_};
    counts_ = std::move(counts);
}

std::shared_ptr<meter> tracer::counts() const noexcept {
    const std::lock_guard lock{mutex_};
    return counts_;
}

void tracer::record_with(std::shared_ptr<const span_source> spans, std::shared_ptr<const span_counts> counts) {
    spans_ = std::move(spans);
    span_counts_ = std::move(counts);
}

std::shared_ptr<const tracer::subscriber_list> tracer::subscribers() const noexcept {
    const std::lock_guard lock{mutex_};
    return subscribers_;
}

}  // namespace sluice::observe
