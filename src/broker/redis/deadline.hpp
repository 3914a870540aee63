#pragma once

#include <algorithm>
#include <chrono>
#include <climits>

#include <sluice/time.hpp>

namespace sluice::broker::redis {

/// A point of the monotonic clock by which a call must have returned, whatever the other side does in small steps.
class deadline {
public:
    using clock_type = std::chrono::steady_clock;

    explicit deadline(duration from_now) : end_{clock_type::now() + std::clamp(from_now, duration{0}, most)} {}

    [[nodiscard]] bool passed() const { return clock_type::now() >= end_; }
    [[nodiscard]] duration left() const {
        return std::max(std::chrono::duration_cast<duration>(end_ - clock_type::now()), duration{0});
    }
    /// What poll(2) takes: rounded up, so that a wait does not end just before the time.
    [[nodiscard]] int poll_milliseconds() const {
        const auto whole = std::chrono::ceil<std::chrono::milliseconds>(left()).count();
        return static_cast<int>(std::min<decltype(whole)>(whole, INT_MAX));
    }
    /// This one, or `from_now` when that comes first.
    [[nodiscard]] deadline or_sooner(duration from_now) const {
        const deadline other{from_now};
        return other.end_ < end_ ? other : *this;
    }

private:
    static constexpr duration most = std::chrono::hours{24 * 365};

    clock_type::time_point end_;
};

}  // namespace sluice::broker::redis
