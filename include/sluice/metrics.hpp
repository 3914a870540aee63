#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sluice/time.hpp>

namespace sluice {

enum class metric_kind { counter, gauge, histogram };

/// One of the observations that a bucket counts, with the trace of what was observed: the way from a slow bucket to an
/// event that fell into it. Its trace is sampled, and its spans are recorded.
///
/// Thread safety: a value type.
struct metric_exemplar {
    double value = 0;        ///< what was observed, in the unit of the metric
    date_time at{};          ///< when
    std::string trace_id{};  ///< 32 hex digits
    std::string span_id{};   ///< 16 hex digits
};

/// One step of a histogram.
///
/// Thread safety: a value type.
struct metric_bucket {
    double upper_bound = 0;                     ///< the last one is infinite
    std::uint64_t count = 0;                    ///< of all observations up to the bound
    std::optional<metric_exemplar> exemplar{};  ///< the latest above the bound before; nothing while nothing is traced
};

/// One series at one moment.
///
/// Thread safety: a value type.
struct metric_sample {
    std::vector<std::pair<std::string, std::string>> labels{};
    double value = 0;                      ///< of a histogram the sum of what was observed
    std::uint64_t count = 0;               ///< of a histogram: how much was observed
    std::vector<metric_bucket> buckets{};  ///< of a histogram
};

/// A metric with all its series, for a registry of the application's own: the fields are those of Prometheus and
/// OpenTelemetry. docs/observability.md names all metrics.
///
/// Thread safety: a value type: a copy of what was counted.
struct metric_family {
    std::string name{};
    std::string help{};
    metric_kind kind = metric_kind::gauge;
    std::vector<metric_sample> samples{};
};

}  // namespace sluice
