#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <climits>

#include <sluice/time.hpp>

#include "base/wake.hpp"

namespace sluice::net {

/// Lets another thread shorten deadlines, also while somebody sleeps until one.
///
/// Thread safety: `hurry` may be called by any thread; the rest belongs to the one that waits.
class haste {
public:
    using clock_type = std::chrono::steady_clock;

    /// No deadline that knows of it is later than this from now on. Of several calls the most impatient counts.
    void hurry(duration patience) noexcept {
        const auto end = (clock_type::now() + patience).time_since_epoch().count();
        auto known = end_.load();
        while (end < known && !end_.compare_exchange_weak(known, end)) continue;
        signal_.notify();
    }
    [[nodiscard]] clock_type::time_point end() const noexcept {
        return clock_type::time_point{clock_type::duration{end_.load()}};
    }
    /// To be polled by who sleeps; -1 when there is nothing more to come that would wake anybody.
    [[nodiscard]] int fd() const noexcept { return end() == clock_type::time_point::max() ? signal_.fd() : -1; }

private:
    std::atomic<clock_type::rep> end_{clock_type::time_point::max().time_since_epoch().count()};
    base::wake_signal signal_;
};

/// A point of the monotonic clock by which a call must have returned, whatever the other side does in small steps.
class deadline {
public:
    using clock_type = std::chrono::steady_clock;

    /// @param haste  may move it forward; must outlive it and its copies; null: nobody can
    explicit deadline(duration from_now, const haste* haste = nullptr)
        : end_{clock_type::now() + std::clamp(from_now, duration{0}, most)}, haste_{haste} {}

    [[nodiscard]] bool passed() const { return clock_type::now() >= end(); }
    [[nodiscard]] duration left() const {
        return std::max(std::chrono::duration_cast<duration>(end() - clock_type::now()), duration{0});
    }
    /// What poll(2) takes: rounded up, so that a wait does not end just before the time.
    [[nodiscard]] int poll_milliseconds() const {
        const auto whole = std::chrono::ceil<std::chrono::milliseconds>(left()).count();
        return static_cast<int>(std::min<decltype(whole)>(whole, INT_MAX));
    }
    /// This one, or `from_now` when that comes first.
    [[nodiscard]] deadline or_sooner(duration from_now) const {
        const deadline other{from_now, haste_};
        return other.end_ < end_ ? other : *this;
    }

    /// The same deadline for a call that may last while it makes progress, and no longer than `patience` without any.
    [[nodiscard]] deadline with_patience(duration patience) const {
        auto result = *this;
        result.patience_ = patience;
        return result;
    }
    /// When the next progress must have been made.
    [[nodiscard]] deadline of_next_step() const { return patience_ > duration{0} ? or_sooner(patience_) : *this; }

    /// Sleeps until the socket is ready for one of the events. False when the time has passed.
    /// @throws outage when the kernel cannot wait
    [[nodiscard]] bool wait_for(int socket, short events) const;
    /// Sleeps until the time has passed.
    /// @throws outage when the kernel cannot wait
    void sleep() const;

private:
    static constexpr duration most = std::chrono::hours{24 * 365};

    [[nodiscard]] clock_type::time_point end() const noexcept {
        return haste_ == nullptr ? end_ : std::min(end_, haste_->end());
    }

    clock_type::time_point end_;
    const haste* haste_;
    duration patience_{0};  ///< zero: until the end
};

/// Sleeps until the signal is given, which takes it back, or the socket is ready for one of the events
/// (`file_changed`), or the time has passed.
/// @throws outage when the kernel cannot wait
[[nodiscard]] base::wake_reason wait_for_either(base::wake_signal& signal, int socket, short events,
                                                const deadline& until);

}  // namespace sluice::net
