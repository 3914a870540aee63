#pragma once

#include <chrono>

#include <sluice/time.hpp>

namespace sluice::broker::redis {

/// A time, and when it was told: it goes on by our own steady clock.
struct told_time {
    date_time time;
    std::chrono::steady_clock::time_point at = std::chrono::steady_clock::now();

    [[nodiscard]] date_time now() const {
        return time + std::chrono::duration_cast<duration>(std::chrono::steady_clock::now() - at);
    }
};

}  // namespace sluice::broker::redis
