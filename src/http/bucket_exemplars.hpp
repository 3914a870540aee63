#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include <sluice/metrics.hpp>

#include "observe/exemplar.hpp"

namespace sluice::http {

/// The latest exemplar of each bucket of one series of a histogram. There is one for each bucket at most, so what they
/// take is bounded.
///
/// Thread safety: all members may be called concurrently.
class bucket_exemplars {
public:
    /// @param bounds  upper bounds of the buckets, in seconds, ascending; one more bucket has none
    explicit bucket_exemplars(std::vector<double> bounds);

    void keep(const observe::exemplar& seen);
    /// One entry for each bucket, the one without a bound last.
    [[nodiscard]] std::vector<std::optional<metric_exemplar>> latest() const;

private:
    const std::vector<double> bounds_;
    mutable std::mutex mutex_;
    std::vector<std::optional<metric_exemplar>> latest_;
};

}  // namespace sluice::http
