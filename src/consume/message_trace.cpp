#include "consume/message_trace.hpp"

#include <cmath>

#include "observe/messaging_span.hpp"
#include "observe/span_source.hpp"

namespace sluice::consume {

namespace {

/// Milliseconds with two digits after the point.
double milliseconds(duration took) {
    constexpr double micros_per_hundredth = 10;
    constexpr double hundredths = 100;
    return std::round(static_cast<double>(took.count()) / micros_per_hundredth) / hundredths;
}

/// A trace that cannot be built (out of memory) disturbs nothing.
template <class Make>
void quietly(Make make) noexcept {
    try {
        make();
    } catch (...) {  // NOLINT(bugprone-empty-catch)
    }
}

}  // namespace

void message_trace::received(std::size_t source, const std::vector<arrival>& found, base::moment begin) const noexcept {
    const observe::span_source* const spans = tracer_.spans();
    if (spans == nullptr || found.empty()) return;
    quietly([&] {
        observe::span span =
            spans->began(begin.wall, begin.steady, "receive " + route_.streams.at(source), span_kind::client, nullptr);
        name_operation(span, "receive", source);
        span.set("messaging.batch.message_count", static_cast<std::int64_t>(found.size()));
        for (const arrival& each : found) {
            if (!each.what.content) continue;
            if (const auto& from = each.what.content->metadata().headers.traceparent) span.link(*from);
        }
    });
}

observe::span message_trace::handling(const parcel& what) const noexcept {
    observe::span span;
    const observe::span_source* const spans = tracer_.spans();
    if (spans == nullptr || !what.content) return span;
    quietly([&] {
        const message_metadata& metadata = what.content->metadata();
        const auto& from = metadata.headers.traceparent;
        span = spans->begin("process " + route_.streams.at(what.source), span_kind::consumer, from);
        name_operation(span, "process", what.source);
        observe::describe_message(span, metadata);
        span.set_text("sluice.handler", route_.name);
        if (from) span.link(*from);
    });
    return span;
}

void message_trace::name_operation(observe::span& of, const char* what, std::size_t source) const {
    observe::describe_operation(of, {.name = what,
                                     .type = what,
                                     .system = system_,
                                     .destination = route_.streams.at(source),
                                     .group = route_.group});
    of.set_text("messaging.client.id", worker_);
}

void message_trace::started(const parcel& what) const noexcept {
    if (!tracer_.wanted()) return;
    quietly([&] { tracer_.emit(describe("handler.started", "ok", what.source, what.delivery.entry, what.content)); });
}

void message_trace::completed(const parcel& what, duration took) const noexcept {
    count(what.source, observe::handling::handled, took);
    if (!tracer_.wanted()) return;
    quietly([&] {
        trace_event event = describe("handler.completed", "ok", what.source, what.delivery.entry, what.content);
        event.duration_ms = milliseconds(took);
        tracer_.emit(std::move(event));
    });
}

void message_trace::failed(const parcel& what, std::string_view reason, duration took) const noexcept {
    count(what.source, observe::handling::failed, took);
    quietly([&] {
        trace_event event = describe("handler.failed", "error", what.source, what.delivery.entry, what.content);
        event.duration_ms = milliseconds(took);
        event.error = reason;
        tracer_.emit(std::move(event));
    });
}

void message_trace::skipped(const parcel& what, date_time deadline) const noexcept {
    count(what.source, observe::handling::expired);
    quietly([&] {
        trace_event event = describe("handler.skipped", "expired", what.source, what.delivery.entry, what.content);
        event.metadata.set("reason", "deadline_exceeded");
        event.metadata.set("deadline", deadline.to_string());
        tracer_.emit(std::move(event));
    });
}

void message_trace::acknowledged(std::size_t source, const receipt& what) const noexcept {
    if (!tracer_.wanted()) return;
    quietly([&] {
        trace_event event = describe("message.acked", "ok", source, what.entry, what.content);
        if (what.duplicate) event.metadata.set("duplicate", true);
        tracer_.emit(std::move(event));
    });
}

void message_trace::deferred(const put_off& what, int max_attempts) const noexcept {
    count(what.what.source, observe::handling::put_off);
    quietly([&] {
        const parcel& of = what.what;
        trace_event event = describe("message.nacked", "retry", of.source, of.delivery.entry, of.content);
        event.error = what.reason;
        event.metadata.set("retry_count", what.attempts);
        event.metadata.set("max_retries", max_attempts);
        event.metadata.set("not_before", what.not_before.to_string());
        tracer_.emit(std::move(event));
    });
}

void message_trace::buried(const set_aside& what) const noexcept {
    count(what.what.source, observe::handling::set_aside);
    quietly([&] { given_up("message.dlq", what); });
}

void message_trace::dropped(const set_aside& what) const noexcept {
    count(what.what.source, observe::handling::dropped);
    quietly([&] { given_up("message.dropped", what); });
}

void message_trace::given_up(const char* event, const set_aside& what) const {
    const parcel& of = what.what;
    trace_event told = describe(event, "error", of.source, of.delivery.entry, of.content);
    told.error = what.why.reason;
    told.metadata.set("code", what.why.code);
    told.metadata.set("retry_count", what.why.attempts);
    tracer_.emit(std::move(told));
}

void message_trace::breaker(const breaker_turned& what, int threshold) const noexcept {
    if (const auto meter = tracer_.counts()) {
        meter->count(observe::breaker_change{
            .handler = route_.name, .broker = route_.broker, .stream = route_.streams[0], .to = to_string(what.to)});
    }
    quietly([&] {
        trace_event event;
        event.status = to_string(what.to);
        event.event = "subscription.circuit_breaker." + event.status;
        event.stream = route_.streams[0];
        event.handler = route_.name;
        event.worker_id = worker_;
        event.broker = route_.broker;
        event.message_type = "circuit_breaker";
        if (what.to == circuit_breaker::state::open) {
            event.error = std::to_string(what.failures) + " messages failed in a row; nothing is read for a while";
        }
        event.metadata.set("consecutive_handler_failures", static_cast<std::int64_t>(what.failures));
        event.metadata.set("circuit_breaker_threshold", threshold);
        tracer_.emit(std::move(event));
    });
}

void message_trace::count(std::size_t source, observe::handling what, duration took) const noexcept {
    const auto meter = tracer_.counts();
    if (meter == nullptr || source >= route_.streams.size()) return;
    observe::handled_message counted{
        .handler = route_.name, .broker = route_.broker, .stream = route_.streams[source], .what = what, .took = took};
    const bool is_attempt = what == observe::handling::handled || what == observe::handling::failed;
    const observe::span_source* const spans = is_attempt ? tracer_.spans() : nullptr;
    const trace_parent* const here = spans != nullptr ? observe::span_here() : nullptr;
    if (here != nullptr && here->sampled) {
        counted.example = observe::exemplar{
            .trace_id = here->trace_id, .span_id = here->parent_id, .value = took, .at = spans->time().now()};
    }
    meter->count(counted);
}

trace_event message_trace::describe(const char* event, const char* status, std::size_t source, const std::string& entry,
                                    const std::optional<message>& content) const {
    trace_event result;
    result.event = event;
    result.status = status;
    result.stream = route_.streams.at(source);
    result.handler = route_.name;
    result.worker_id = worker_;
    result.broker = route_.broker;
    result.message_id = content && !content->id().empty() ? content->id() : entry;
    result.message_type = content && !content->type().text().empty() ? content->type().text() : "unknown";
    if (content) {
        result.correlation_id = content->correlation_id();
        result.causation_id = content->metadata().domain.causation_id;
        result.traceparent = observe::trace_here(content->metadata().headers.traceparent);
    }
    return result;
}

}  // namespace sluice::consume
