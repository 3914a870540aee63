#pragma once

#include <atomic>
#include <cstdint>

#include <sluice/time.hpp>

namespace sluice::testing {

/// A clock that stands still until it is told to move. Thread safe.
class virtual_clock final : public clock {
public:
    explicit virtual_clock(date_time start = date_time::parse("2026-01-01T00:00:00+00:00")) : micros_{start.micros()} {}

    [[nodiscard]] date_time now() const override { return date_time::from_micros(micros_); }
    void advance(duration by) { micros_ += by.count(); }
    void advance_to(date_time at) {
        if (at > now()) micros_ = at.micros();
    }

private:
    std::atomic<std::int64_t> micros_;
};

}  // namespace sluice::testing
