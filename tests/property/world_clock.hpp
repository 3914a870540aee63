#pragma once

#include <chrono>
#include <cstdint>
#include <thread>

#include <sluice/time.hpp>

namespace sluice::testing {

/// The clock of the machine that a world runs on. It stands still until it is told to move, or it flows: then time
/// passes by itself, as for a server with a clock of its own, and moving the clock is waiting.
///
/// Thread safety: one thread moves it, while nobody reads it.
class world_clock final : public clock {
public:
    enum class kind : std::uint8_t { stands, flows };

    explicit world_clock(kind is = kind::stands) : flows_{is == kind::flows} {}

    [[nodiscard]] bool flows() const noexcept { return flows_; }
    [[nodiscard]] date_time now() const override {
        return (flows_ ? system_clock().now() : date_time::from_micros(start_ + passed_)) + ahead_;
    }
    [[nodiscard]] instant monotonic_now() const override {
        return flows_ ? system_clock().monotonic_now() : instant{duration{start_ + passed_}};
    }
    void advance(duration by) {
        if (flows_) {
            std::this_thread::sleep_for(by);
        } else {
            passed_ += by.count();
        }
    }
    void advance_to(instant at) {
        if (at > monotonic_now()) advance(at - monotonic_now());
    }
    /// Somebody sets the calendar, which moves nothing else.
    void set_calendar_ahead(duration by) { ahead_ += by; }

private:
    static constexpr std::int64_t start_ = 1'767'225'600'000'000;  // 2026-01-01

    bool flows_;
    std::int64_t passed_ = 0;
    duration ahead_{0};
};

}  // namespace sluice::testing
