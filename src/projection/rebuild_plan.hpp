#pragma once

#include <chrono>
#include <optional>
#include <variant>

#include <sluice/time.hpp>

#include "base/backoff.hpp"
#include "projection/settled_log.hpp"

namespace sluice::projection {

/// What a rebuild does next.
namespace rebuild_action {
struct look {};  ///< at the end of the log
struct apply {   ///< events of (after, upto], or the first of them
    store::sequence after = 0;
    store::sequence upto = 0;
};
struct rest {
    duration time{};
};
struct lock {};    ///< keep the projector from committing
struct unlock {};  ///< and let it go on
struct finish {    ///< apply all of (after, upto] and let the new table count
    store::sequence after = 0;
    store::sequence upto = 0;
};
}  // namespace rebuild_action

using rebuild_next = std::variant<rebuild_action::look, rebuild_action::apply, rebuild_action::rest,
                                  rebuild_action::lock, rebuild_action::unlock, rebuild_action::finish>;

/// Decides what a rebuild does next. Pure: it is told what was done and seen, and given the time.
///
/// It reads the log as far as it is final (`settled_log`). When what is left is short, it asks for the lock, looks
/// again, and finishes when everything up to the head of that look is final: all that the projector has handled by then
/// lies below, because it was visible before the lock was got. The lock is held for a second at most; whoever writes
/// events for longer makes it try again later.
///
/// Thread safety: none.
class rebuild_plan {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// Numbers in one step, so that no statement reads without end.
    static constexpr store::sequence window = 50'000;
    /// Numbers that may be left for the time under the lock.
    static constexpr store::sequence most_left = 1'000;
    static constexpr std::chrono::seconds longest_lock{1};

    explicit rebuild_plan(store::sequence position) : position_{position} {}

    [[nodiscard]] rebuild_next next(time_point now);

    void looked(const store::log_end& end);
    void applied(store::sequence upto);
    void locked(time_point now);
    /// The lock was not to be had, or was given back.
    void unlocked(time_point now);

    [[nodiscard]] store::sequence position() const noexcept { return position_; }
    [[nodiscard]] store::sequence head() const noexcept { return log_.head(); }
    /// Transactions that hold the rebuild up; 0 when none does.
    [[nodiscard]] std::size_t waiting_for() const noexcept { return rests_ > 0 ? log_.awaited().size() : 0; }

private:
    [[nodiscard]] rebuild_next next_under_lock(time_point now);
    [[nodiscard]] rebuild_next rest();

    static constexpr base::backoff between_looks{
        .first = std::chrono::milliseconds{5}, .factor = 2, .most = std::chrono::milliseconds{500}};
    static constexpr base::backoff between_locks{
        .first = std::chrono::milliseconds{100}, .factor = 2, .most = std::chrono::seconds{5}};

    settled_log log_{};
    store::sequence position_;
    bool fresh_ = false;  ///< a look was taken after the last rest
    int rests_ = 0;       ///< since something was applied
    bool locked_ = false;
    std::optional<store::sequence> end_{};  ///< the head of the first look under the lock
    int locks_ = 0;                         ///< that were in vain
    time_point lock_ends_{};
    time_point next_lock_{};
};

}  // namespace sluice::projection
