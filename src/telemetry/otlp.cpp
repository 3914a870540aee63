#include "telemetry/otlp.hpp"

#include <cmath>
#include <string_view>
#include <vector>

#include <sluice/json.hpp>
#include <sluice/version.hpp>

#include "envelope/object_writer.hpp"

namespace sluice::telemetry {

namespace {

using envelope::object_writer;

// Of opentelemetry/proto/trace/v1 and metrics/v1.
constexpr int status_error = 2;
constexpr int cumulative = 2;

int number_of(span_kind kind) {
    switch (kind) {
        case span_kind::internal:
            return 1;
        case span_kind::server:
            return 2;
        case span_kind::client:
            return 3;
        case span_kind::producer:
            return 4;
        case span_kind::consumer:
            return 5;
    }
    return 0;
}

std::string nanoseconds(date_time at) { return std::to_string(at.micros()) + "000"; }

/// JSON has no infinity; the protocol takes its name as a text.
void append_number(std::string& out, double number) {
    if (!std::isfinite(number)) out += '"';
    json::append_double(out, number);
    if (!std::isfinite(number)) out += '"';
}

template <class Range, class Write>
void write_array(std::string& out, object_writer& in, std::string_view key, const Range& of, const Write& write) {
    in.begin(key);
    out += '[';
    bool is_first = true;
    for (const auto& each : of) {
        if (!is_first) out += ',';
        is_first = false;
        write(each);
    }
    out += ']';
}

void write_attribute(std::string& out, std::string_view key, const span_value& value) {
    object_writer attribute{out};
    attribute.text("key", key);
    attribute.begin("value");
    object_writer any{out};
    if (const auto* const text = std::get_if<std::string>(&value)) any.text("stringValue", *text);
    if (const auto* const whole = std::get_if<std::int64_t>(&value)) any.text("intValue", std::to_string(*whole));
    if (const auto* const flag = std::get_if<bool>(&value)) any.boolean("boolValue", *flag);
    if (const auto* const number = std::get_if<double>(&value)) {
        any.begin("doubleValue");
        append_number(out, *number);
    }
    any.end();
    attribute.end();
}

void write_attributes(std::string& out, object_writer& in, const std::vector<span_attribute>& attributes) {
    write_array(out, in, "attributes", attributes,
                [&](const span_attribute& each) { write_attribute(out, each.key, each.value); });
}

void write_span(std::string& out, const finished_span& span) {
    object_writer to{out};
    to.text("traceId", span.context.trace_id);
    to.text("spanId", span.context.parent_id);
    if (!span.parent_id.empty()) to.text("parentSpanId", span.parent_id);
    to.number("flags", 1);  // sampled
    to.text("name", span.name);
    to.number("kind", number_of(span.kind));
    to.text("startTimeUnixNano", nanoseconds(span.begin));
    to.text("endTimeUnixNano", nanoseconds(span.begin + span.took));
    write_attributes(out, to, span.attributes);
    write_array(out, to, "links", span.links, [&](const trace_parent& each) {
        object_writer link{out};
        link.text("traceId", each.trace_id);
        link.text("spanId", each.parent_id);
        link.number("flags", each.sampled ? 1 : 0);
        link.end();
    });
    if (span.dropped_links > 0) to.number("droppedLinksCount", span.dropped_links);
    if (span.failed) {
        to.begin("status");
        object_writer status{out};
        status.number("code", status_error);
        status.text("message", span.error);
        status.end();
    }
    to.end();
}

/// One resource with one scope, which is Sluice itself.
template <class Range, class Write>
std::string write_request(const resource& from, std::string_view by_resource, std::string_view by_scope,
                          std::string_view key, const Range& all, const Write& write) {
    std::string out;
    object_writer request{out};
    request.begin(by_resource);
    out += '[';
    object_writer of_resource{out};
    of_resource.begin("resource");
    object_writer described{out};
    write_attributes(out, described, from.attributes);
    described.end();
    of_resource.begin(by_scope);
    out += '[';
    object_writer of_scope{out};
    of_scope.begin("scope");
    object_writer scope{out};
    scope.text("name", "sluice");
    scope.text("version", version());
    scope.end();
    write_array(out, of_scope, key, all, [&](const auto& each) { write(out, each); });
    of_scope.end();
    out += ']';
    of_resource.end();
    out += ']';
    request.end();
    return out;
}

/// Writes the series of one metric.
class metric_writer {
public:
    metric_writer(std::string& out, date_time begin, date_time now)
        : out_{out}, begin_{nanoseconds(begin)}, now_{nanoseconds(now)} {}

    void write(const metric_family& family) {
        object_writer metric{out_};
        metric.text("name", family.name);
        metric.text("description", family.help);
        if (family.name.ends_with("_seconds")) metric.text("unit", "s");
        switch (family.kind) {
            case metric_kind::gauge:
                metric.begin("gauge");
                break;
            case metric_kind::counter:
                metric.begin("sum");
                break;
            case metric_kind::histogram:
                metric.begin("histogram");
                break;
        }
        object_writer data{out_};
        if (family.kind != metric_kind::gauge) data.number("aggregationTemporality", cumulative);
        if (family.kind == metric_kind::counter) data.boolean("isMonotonic", true);
        write_array(out_, data, "dataPoints", family.samples,
                    [&](const metric_sample& each) { write_point(each, family.kind); });
        data.end();
        metric.end();
    }

private:
    void write_point(const metric_sample& sample, metric_kind kind) {
        object_writer point{out_};
        write_array(out_, point, "attributes", sample.labels,
                    [&](const auto& each) { write_attribute(out_, each.first, each.second); });
        if (kind != metric_kind::gauge) point.text("startTimeUnixNano", begin_);
        point.text("timeUnixNano", now_);
        if (kind == metric_kind::histogram) {
            write_buckets(point, sample);
        } else {
            point.begin("asDouble");
            append_number(out_, sample.value);
        }
        point.end();
    }

    /// Prometheus counts up to each bound, the protocol between two of them; its last one has no bound.
    void write_buckets(object_writer& point, const metric_sample& sample) {
        point.text("count", std::to_string(sample.count));
        point.begin("sum");
        append_number(out_, sample.value);
        std::uint64_t below = 0;
        write_array(out_, point, "bucketCounts", sample.buckets, [&](const metric_bucket& each) {
            json::append_string(out_, std::to_string(each.count - below));
            below = each.count;
        });
        const std::span<const metric_bucket> bounded{sample.buckets.data(),
                                                     sample.buckets.empty() ? 0 : sample.buckets.size() - 1};
        write_array(out_, point, "explicitBounds", bounded,
                    [&](const metric_bucket& each) { append_number(out_, each.upper_bound); });
        write_exemplars(point, sample);
    }

    void write_exemplars(object_writer& point, const metric_sample& sample) {
        std::vector<const metric_exemplar*> all;
        for (const metric_bucket& each : sample.buckets) {
            if (each.exemplar) all.push_back(&*each.exemplar);
        }
        if (all.empty()) return;
        write_array(out_, point, "exemplars", all, [&](const metric_exemplar* each) {
            object_writer exemplar{out_};
            exemplar.text("timeUnixNano", nanoseconds(each->at));
            exemplar.begin("asDouble");
            append_number(out_, each->value);
            exemplar.text("traceId", each->trace_id);
            exemplar.text("spanId", each->span_id);
            exemplar.end();
        });
    }

    std::string& out_;
    std::string begin_;
    std::string now_;
};

}  // namespace

std::string encode_spans(const resource& from, std::span<const finished_span> spans) {
    return write_request(from, "resourceSpans", "scopeSpans", "spans", spans, write_span);
}

std::string encode_metrics(const resource& from, std::span<const metric_family> metrics, date_time begin,
                           date_time now) {
    return write_request(from, "resourceMetrics", "scopeMetrics", "metrics", metrics,
                         [&](std::string& out, const metric_family& each) {
                             metric_writer{out, begin, now}.write(each);
                         });
}

}  // namespace sluice::telemetry
