#include "http/bucket_exemplars.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/seconds.hpp"

namespace sluice::http {

bucket_exemplars::bucket_exemplars(std::vector<double> bounds)
    : bounds_{std::move(bounds)}, latest_(bounds_.size() + 1) {}

void bucket_exemplars::keep(const observe::exemplar& seen) {
    metric_exemplar kept{.value = base::seconds(seen.value),
                         .at = seen.at,
                         .trace_id = std::string{seen.trace_id},
                         .span_id = std::string{seen.span_id}};
    // A bound belongs to its bucket, as it does where the histogram counts.
    const auto bucket = std::ranges::lower_bound(bounds_, kept.value) - bounds_.begin();
    const std::lock_guard lock{mutex_};
    latest_[static_cast<std::size_t>(bucket)] = std::move(kept);
}

std::vector<std::optional<metric_exemplar>> bucket_exemplars::latest() const {
    const std::lock_guard lock{mutex_};
    return latest_;
}

}  // namespace sluice::http
