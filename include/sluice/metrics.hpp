#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sluice {

enum class metric_kind { counter, gauge, histogram };

/// One step of a histogram.
///
/// Thread safety: a value type.
struct metric_bucket {
    double upper_bound = 0;   ///< the last one is infinite
    std::uint64_t count = 0;  ///< of all observations up to the bound
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
