#pragma once

#include <span>
#include <string>

#include <sluice/metrics.hpp>
#include <sluice/span.hpp>
#include <sluice/time.hpp>

#include "telemetry/resource.hpp"

/// The bodies of OTLP over HTTP in their JSON form: ids in hexadecimal, 64-bit numbers as texts, enumerations as
/// numbers. Pure.
namespace sluice::telemetry {

/// An `ExportTraceServiceRequest`.
[[nodiscard]] std::string encode_spans(const resource& from, std::span<const finished_span> spans);

/// An `ExportMetricsServiceRequest`; counters and histograms are cumulative, and so are the exemplars
/// of their buckets.
/// @param begin  since when they count
[[nodiscard]] std::string encode_metrics(const resource& from, std::span<const metric_family> metrics, date_time begin,
                                         date_time now);

}  // namespace sluice::telemetry
