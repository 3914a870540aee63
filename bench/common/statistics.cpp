#include "common/statistics.hpp"

#include <algorithm>
#include <cstddef>

namespace sluice::bench {

double quantile(std::vector<double> values, double q) {
    if (values.empty()) return 0;
    const auto rank = static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + rank, values.end());
    return values[static_cast<std::size_t>(rank)];
}

}  // namespace sluice::bench
