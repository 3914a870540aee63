#pragma once

#include <atomic>
#include <cstdint>

#include <sluice/time.hpp>

namespace sluice::testing {

/// A clock that stands still until it is told to move. Somebody may set its calendar, which moves nothing else. Thread
/// safe.
class virtual_clock final : public clock {
public:
    explicit virtual_clock(date_time start = date_time::parse("2026-01-01T00:00:00+00:00"))
        : micros_{start.micros()}, steady_{start.micros()} {}

    [[nodiscard]] date_time now() const override { return date_time::from_micros(micros_); }
    [[nodiscard]] instant monotonic_now() const override { return instant{duration{steady_}}; }
    void advance(duration by) {
        micros_ += by.count();
        steady_ += by.count();
    }
    void advance_to(date_time at) {
        if (at > now()) advance(at - now());
    }
    void advance_to(instant at) {
        if (at > monotonic_now()) advance(at - monotonic_now());
    }
    /// An operator, or a correction over the network, sets the calendar.
    void set_calendar(date_time to) { micros_ = to.micros(); }

private:
    std::atomic<std::int64_t> micros_;
    std::atomic<std::int64_t> steady_;
};

}  // namespace sluice::testing
