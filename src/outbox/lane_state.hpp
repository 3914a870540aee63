#pragma once

#include <optional>
#include <string>

#include <sluice/time.hpp>

#include "base/moment.hpp"

namespace sluice::outbox {

/// What a lane is doing, as `sluice status` shows it. `lost` is also the state of a lane that stands by for another
/// owner's lease.
enum class lane_state { flowing, idle, paused, blocked, draining, lost };

[[nodiscard]] const char* to_string(lane_state state) noexcept;

/// Which state a lane is in since when, and when its lease row should say so. Pure.
///
/// Pauses and drains are told at once. The others come and go with every event, and each report costs the database a
/// write: they are told when they have lasted for a moment.
///
/// Thread safety: none.
class state_clock {
public:
    void enter(lane_state state, base::moment now);
    /// The lease row says what `current()` says.
    void told() noexcept;

    [[nodiscard]] lane_state current() const noexcept { return current_; }
    [[nodiscard]] date_time since() const noexcept { return since_; }
    /// When to tell; nothing while the lease row is right.
    [[nodiscard]] std::optional<instant> tell_at() const noexcept { return tell_at_; }

private:
    lane_state current_ = lane_state::lost;
    lane_state told_ = lane_state::lost;
    date_time since_{};
    std::optional<instant> tell_at_{};
};

}  // namespace sluice::outbox
