#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

using duration = std::chrono::microseconds;

/// An instant in UTC with microsecond resolution.
///
/// Text form is Python's `datetime.isoformat()` of an aware UTC value:
/// `2026-11-23T07:56:25.613701+00:00`, the fraction omitted when it is zero.
///
/// Thread safety: a value type.
class date_time {
public:
    constexpr date_time() = default;
    constexpr explicit date_time(duration since_epoch) : since_epoch_{since_epoch} {}

    /// @param microseconds  since 1970-01-01T00:00:00Z
    [[nodiscard]] static constexpr date_time from_micros(std::int64_t microseconds) {
        return date_time{duration{microseconds}};
    }
    /// Reads ISO 8601: `T` or space, 0 to 9 fraction digits (cut to 6), `Z` or `±hh:mm`; no zone means UTC.
    /// @throws decode_error naming the text, also when the instant lies outside the years 0001 to 9999
    [[nodiscard]] static date_time parse(std::string_view text);

    [[nodiscard]] constexpr std::int64_t micros() const { return since_epoch_.count(); }
    /// The text form. An instant outside the years 0001 to 9999 is written as the first or last one inside.
    [[nodiscard]] std::string to_string() const;

    constexpr date_time& operator+=(duration d) {
        since_epoch_ += d;
        return *this;
    }
    friend constexpr date_time operator+(date_time t, duration d) { return t += d; }
    friend constexpr date_time operator-(date_time t, duration d) { return date_time{t.since_epoch_ - d}; }
    friend constexpr duration operator-(date_time a, date_time b) { return a.since_epoch_ - b.since_epoch_; }
    friend constexpr auto operator<=>(const date_time&, const date_time&) = default;

private:
    duration since_epoch_{0};
};

/// A point of the time that only moves forward: what waits are measured by. It says nothing about the calendar, and it
/// cannot be compared with a `date_time`. Only differences within one process mean something.
using instant = std::chrono::time_point<std::chrono::steady_clock, duration>;

/// Where "now" comes from. Injected everywhere, so that no test waits for real time.
///
/// There are two answers, because somebody may set the machine's clock: `now()` is what is stored and shown, and may
/// jump by days in both directions; `monotonic_now()` is what is waited by.
///
/// Thread safety: both may be called concurrently.
class clock {
public:
    virtual ~clock() = default;
    [[nodiscard]] virtual date_time now() const = 0;
    [[nodiscard]] virtual instant monotonic_now() const = 0;
};

/// The machine's clocks. One instance lives for the whole process.
[[nodiscard]] const clock& system_clock();

}  // namespace sluice
