#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>

#include "observe/meter.hpp"

namespace sluice::bench {

/// Times how fast rows are settled: from the end of the first batch to the end of the last, so that connecting and
/// taking a lease do not count.
///
/// Thread safety: all members may be called concurrently.
class settle_clock {
public:
    void add(std::size_t rows);
    /// Waits until so many rows were settled. @returns rows per second
    /// @throws std::runtime_error when nothing was settled for a minute
    [[nodiscard]] double rate_of(std::size_t rows);

private:
    using steady = std::chrono::steady_clock;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t settled_ = 0;
    std::size_t first_batch_ = 0;
    steady::time_point begin_{};
    steady::time_point end_{};
};

/// Tells a clock what lanes settle. The clock must outlive it.
[[nodiscard]] std::shared_ptr<observe::meter> make_meter(settle_clock& clock);

}  // namespace sluice::bench
