#pragma once

#include <cstdint>
#include <optional>

namespace sluice::broker::kafka {

/// Where a group stands in a partition, and what the partition has.
struct standing {
    std::optional<std::int64_t> committed{};  ///< the group's place; nothing: it has none here
    std::int64_t low = 0;                     ///< the first offset that is kept
    std::int64_t end = 0;                     ///< behind the last one
    std::int64_t first_wanted = 0;            ///< where a group without a place begins
};

struct starting_place {
    enum class reason {
        goes_on,    ///< where it was
        begins,     ///< the group is new here
        removed,    ///< what it had not read was removed by retention
        shortened,  ///< the log ends before its place: it was cut, or the topic is another one
    };

    std::int64_t offset = 0;
    reason why = reason::goes_on;
};

/// Decides where to read from, so that nothing is skipped that is there. Pure.
[[nodiscard]] constexpr starting_place choose_start(const standing& at) noexcept {
    using reason = starting_place::reason;
    if (!at.committed) return {at.first_wanted < at.low ? at.low : at.first_wanted, reason::begins};
    if (*at.committed < at.low) return {at.low, reason::removed};
    // What is there now may all be new to the group: the inbox knows the copies.
    if (*at.committed > at.end) return {at.low, reason::shortened};
    return {*at.committed, reason::goes_on};
}

}  // namespace sluice::broker::kafka
