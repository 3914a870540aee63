#pragma once

#include <algorithm>
#include <chrono>

#include "base/moment.hpp"

namespace sluice::base {

/// Decides whether the calendar is good enough to delete what it calls old. Pure.
///
/// Somebody may set a machine's clock days ahead for a minute; what was deleted by then does not come back. So after a
/// jump forward nothing is deleted for an hour, and neither when the database shows that its last user lived more than
/// a day before or after what the calendar says now. That a machine was switched off looks the same, and costs nothing
/// but that hour.
///
/// Thread safety: none.
class calendar_watch {
public:
    static constexpr duration wait{std::chrono::hours{1}};

    /// Call it whenever the time is at hand.
    constexpr void noted(moment now) {
        constexpr duration tolerance{std::chrono::minutes{1}};
        if (noted_ && (now.wall - last_.wall) - (now.steady - last_.steady) > tolerance) distrust(now);
        last_ = now;
        noted_ = true;
    }
    /// @param last  a time that somebody else wrote when he was here last
    constexpr void compare(date_time last, moment now) {
        constexpr duration usual{std::chrono::hours{24}};
        const duration apart = now.wall - last;
        if (std::max(apart, -apart) > usual) distrust(now);
    }
    [[nodiscard]] constexpr instant trusted_from() const { return trusted_from_; }

private:
    constexpr void distrust(moment now) { trusted_from_ = now.steady + wait; }

    moment last_{};
    bool noted_ = false;
    instant trusted_from_{instant::min()};
};

}  // namespace sluice::base
