#include "telemetry/export_plan.hpp"

#include <algorithm>

namespace sluice::telemetry {

namespace {

/// When nothing waits, whoever brings something wakes the exporter.
constexpr duration longest_rest = std::chrono::hours{1};

}  // namespace

bool export_plan::is_due(const waiting& queue, instant now) const {
    if (has_batch()) return true;
    if (queue.spans == 0) return false;
    return hurries_ || queue.spans >= timing_.batch || now >= queue.since.value_or(now) + timing_.delay;
}

export_plan::action export_plan::next(const waiting& queue, instant now) {
    if (is_flushed(queue)) hurries_ = false;
    if (end_at_ && (now >= *end_at_ || is_flushed(queue))) return {.what = step::end};
    const bool wants_metrics = timing_.metrics_every > duration{0} && (metrics_now_ || now >= metrics_at_);
    if (now >= not_before_) {
        if (wants_metrics && !metrics_now_) return {.what = step::send_metrics};
        if (is_due(queue, now)) return {.what = step::send_spans};
        if (wants_metrics) return {.what = step::send_metrics};
    }
    instant until = now + longest_rest;
    if (timing_.metrics_every > duration{0}) until = std::min(until, metrics_at_);
    if (queue.spans > 0) until = std::min(until, queue.since.value_or(now) + timing_.delay);
    if (has_batch() || is_due(queue, now) || wants_metrics) until = std::min(until, not_before_);
    until = std::max(until, not_before_);
    if (end_at_) until = std::min(until, *end_at_);
    return {.what = step::rest, .until = until};
}

bool export_plan::sent_spans(const delivery& what, instant now) {
    if (what.is != delivery::result::again) {
        has_batch_ = false;
        failures_ = 0;
        not_before_ = now;
        return true;
    }
    // Whoever waits for the end need not wait for a receiver that is away; one that names a time may be back by then.
    if (what.retry_after == duration{0}) {
        is_hopeless_ = hurries_;
        if (end_at_) end_at_ = now;
    }
    if (failures_ == 0) first_failure_ = now;
    ++failures_;
    not_before_ = now + std::max(timing_.retry.delay(failures_), what.retry_after);
    if (now - first_failure_ < timing_.give_up) return false;
    has_batch_ = false;
    failures_ = 0;
    return true;
}

void export_plan::sent_metrics(const delivery& what, instant now) {
    metrics_now_ = false;
    metrics_at_ = now + timing_.metrics_every;
    if (what.is == delivery::result::again) not_before_ = std::max(not_before_, now + what.retry_after);
}

void export_plan::flush(instant now) {
    hurries_ = true;
    is_hopeless_ = false;
    metrics_now_ = timing_.metrics_every > duration{0};
    // An outage is worth one more attempt; what the receiver asked for is kept below, by the next answer.
    not_before_ = std::min(not_before_, now);
}

void export_plan::stop(instant now, instant until) {
    flush(now);
    end_at_ = until;
}

}  // namespace sluice::telemetry
