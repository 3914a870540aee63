#pragma once

#include <utility>
#include <vector>

namespace sluice::bench {

/// Quantile 0…1 of the values, 0 when there are none.
[[nodiscard]] double quantile(std::vector<double> values, double q);
[[nodiscard]] inline double median(std::vector<double> values) { return quantile(std::move(values), 0.5); }

}  // namespace sluice::bench
