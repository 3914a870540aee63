#include "outbox/traced_row.hpp"

#include <string_view>
#include <utility>

#include "envelope/stored_metadata.hpp"

namespace sluice::outbox {

namespace {

/// As `encode_metadata` writes it; to find it is cheaper than to parse. Extensions may say it, too.
constexpr std::string_view sampled_trace = R"("sampled":true)";

}  // namespace

std::optional<traced_row> slowest_traced(std::span<const row_outcome> rows, const observe::span_source& spans) {
    std::optional<traced_row> slowest;
    for (const row_outcome& each : rows) {
        const auto took = each.latency();
        if (!took || (slowest && *took <= slowest->latency)) continue;
        if (each.event.metadata.find(sampled_trace) == std::string::npos) continue;
        auto metadata = envelope::stored_metadata(each.event.metadata);
        if (!metadata || !metadata->headers.traceparent) continue;
        trace_parent& trace = *metadata->headers.traceparent;
        if (!trace.sampled || !spans.takes(trace)) continue;
        slowest = traced_row{.trace = std::move(trace), .latency = *took, .at = *each.settlement.published_at};
    }
    return slowest;
}

}  // namespace sluice::outbox
