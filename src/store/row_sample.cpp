#include "store/row_sample.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::store {

std::vector<number_range> pending_ranges(sequence above, sequence listed, sequence last) {
    const number_range all{above, last};
    if (last <= above) return {};
    if (is_counted(all) || listed <= above || listed >= last) return {all};
    return {{above, listed}, {listed, last}};
}

row_sample row_sample::over(sequence from, sequence upto) noexcept {
    const auto step = std::max((upto - from + 1) / windows, width);
    return {.first = from + (step - width) / 2, .last = upto, .step = step};
}

std::int64_t row_sample::estimate(std::int64_t found) const noexcept {
    return std::llround(static_cast<double>(found) * static_cast<double>(step) / static_cast<double>(width));
}

}  // namespace sluice::store
