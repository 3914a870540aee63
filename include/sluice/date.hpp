#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include <sluice/time.hpp>

namespace sluice {

/// A day of the Gregorian calendar without a time and a zone: a birthday, a due date. Text form: ISO 8601,
/// `2026-11-23`.
///
/// It is a `std::chrono::year_month_day` and turns into one, so the calendar of the standard library does the rest:
///
/// @code
/// const sluice::date due = invoiced + std::chrono::days{30};
/// const sluice::date next = due.ymd() + std::chrono::months{1};  // 31 January gives the invalid 31 February
/// const bool on_a_sunday = std::chrono::weekday{due.sys_days()} == std::chrono::Sunday;
/// @endcode
///
/// As with other fields, no constructor refuses a value: `codec::validate()` reports a day that the calendar does not
/// have or that lies outside the years 1 to 9999.
///
/// Thread safety: a value type.
class date {
public:
    /// 1970-01-01.
    constexpr date() = default;
    // NOLINTNEXTLINE(google-explicit-constructor): it is written as the day that it is, 2026y / 11 / 23
    constexpr date(const std::chrono::year_month_day& day) noexcept : day_{day} {}
    constexpr explicit date(std::chrono::sys_days day) noexcept : day_{day} {}

    /// Reads ISO 8601, `YYYY-MM-DD`, and nothing else.
    /// @throws decode_error naming the text, also when the calendar has no such day
    [[nodiscard]] static date parse(std::string_view text);
    /// The day on which an instant lies in UTC.
    [[nodiscard]] static constexpr date of(date_time at) {
        return date{std::chrono::floor<std::chrono::days>(
            std::chrono::time_point<std::chrono::system_clock, duration>{duration{at.micros()}})};
    }

    [[nodiscard]] constexpr const std::chrono::year_month_day& ymd() const noexcept { return day_; }
    [[nodiscard]] constexpr std::chrono::sys_days sys_days() const noexcept { return day_; }
    /// Does the calendar have it, and has its year four digits?
    [[nodiscard]] constexpr bool ok() const noexcept {
        return day_.ok() && day_.year() >= std::chrono::year{1} && day_.year() <= std::chrono::year{9999};
    }
    /// The text form. One that is not `ok()` is written as something that cannot be read.
    [[nodiscard]] std::string to_string() const;

    constexpr date& operator+=(std::chrono::days count) noexcept { return *this = date{sys_days() + count}; }
    constexpr date& operator-=(std::chrono::days count) noexcept { return *this = date{sys_days() - count}; }
    friend constexpr date operator+(date day, std::chrono::days count) noexcept { return day += count; }
    friend constexpr date operator-(date day, std::chrono::days count) noexcept { return day -= count; }
    friend constexpr std::chrono::days operator-(date a, date b) noexcept { return a.sys_days() - b.sys_days(); }
    friend constexpr bool operator==(const date& a, const date& b) noexcept { return a.day_ == b.day_; }
    friend constexpr std::strong_ordering operator<=>(const date& a, const date& b) noexcept {
        return a.day_ <=> b.day_;
    }

private:
    std::chrono::year_month_day day_{std::chrono::year{1970}, std::chrono::January, std::chrono::day{1}};
};

}  // namespace sluice

template <>
struct std::hash<sluice::date> {
    [[nodiscard]] std::size_t operator()(const sluice::date& day) const noexcept {
        return std::hash<std::chrono::days::rep>{}(day.sys_days().time_since_epoch().count());
    }
};
