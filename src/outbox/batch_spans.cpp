#include "outbox/batch_spans.hpp"

#include <algorithm>
#include <exception>
#include <variant>

#include <sluice/error.hpp>

#include "envelope/stored_metadata.hpp"
#include "observe/messaging_span.hpp"
#include "observe/span_source.hpp"

namespace sluice::outbox {

namespace {

/// What most messages say when their producer records no spans; to find it is cheaper than to parse.
constexpr std::string_view no_trace = R"("traceparent":null)";

std::string stream_of(const dispatch_rules& rules, const store::due_row& row) {
    try {
        return rules.stream_of(row);
    } catch (const error&) {
        return row.event.stream_category;  // it will be refused
    }
}

void conclude(observe::span& of, const broker::verdict& what) {
    if (const auto* const taken = std::get_if<broker::delivered>(&what)) {
        of.set_text("sluice.receipt", taken->receipt);
    } else if (const auto* const refusal = std::get_if<broker::refused>(&what)) {
        of.fail(refusal->code.empty() ? "refused" : refusal->code, refusal->reason);
    } else if (const auto* const away = std::get_if<broker::unreachable>(&what)) {
        of.fail("unreachable", away->reason);
    }
}

}  // namespace

batch_spans::batch_spans(const observe::tracer& tracer, const traced_lane& of, std::span<const store::due_row> rows)
    : of_{of} {
    if (const auto* const spans = tracer.spans()) begin(*spans, rows);
}

batch_spans::~batch_spans() {
    here_.reset();
    if (is_answered_) return;
    for (observe::span& each : messages_) each.fail("unreachable", "the batch was not sent");
    batch_.fail("unreachable", "the batch was not sent");
}

void batch_spans::begin(const observe::span_source& spans, std::span<const store::due_row> rows) {
    const base::moment begin = base::moment_of(spans.time());
    batch_ = spans.began(begin.wall, begin.steady, "publish batch " + of_.name, span_kind::client, nullptr);
    observe::describe_operation(batch_, {.name = "publish", .type = "send", .system = of_.system, .destination = {}});
    batch_.set("messaging.batch.message_count", static_cast<std::int64_t>(rows.size()));
    batch_.set_text("messaging.client.id", of_.owner);
    batch_.set_text("sluice.lane", of_.name);
    here_.emplace(batch_);
    messages_.reserve(rows.size());
    for (const store::due_row& each : rows) begin_message(spans, each, begin);
}

void batch_spans::begin_message(const observe::span_source& spans, const store::due_row& row, base::moment begin) {
    observe::span& message = messages_.emplace_back();
    if (row.event.metadata.find(no_trace) != std::string::npos) return;
    const auto metadata = envelope::stored_metadata(row.event.metadata);
    if (!metadata || !metadata->headers.traceparent) return;
    const trace_parent& from = *metadata->headers.traceparent;
    batch_.link(from);
    if (!spans.takes(from)) return;
    const std::string stream = stream_of(of_.rules, row);
    message = spans.began(begin.wall, begin.steady, "publish " + stream, span_kind::client, &from);
    observe::describe_operation(message,
                                {.name = "publish", .type = "send", .system = of_.system, .destination = stream});
    observe::describe_message(message, *metadata);
    message.set_text("sluice.lane", of_.name);
    message.link(from);
    message.link(*batch_.context());
}

void batch_spans::answered(std::span<const broker::verdict> verdicts) {
    if (batch_.context() == nullptr) return;
    is_answered_ = true;
    std::size_t delivered = 0;
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
        delivered += std::holds_alternative<broker::delivered>(verdicts[i]) ? 1 : 0;
        if (i < messages_.size()) conclude(messages_[i], verdicts[i]);
    }
    batch_.set("sluice.delivered", static_cast<std::int64_t>(delivered));
    if (delivered == verdicts.size()) return;
    const auto first = std::ranges::find_if(
        verdicts, [](const broker::verdict& each) { return !std::holds_alternative<broker::delivered>(each); });
    conclude(batch_, *first);
}

}  // namespace sluice::outbox
