#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/time.hpp>

#include "store/operations.hpp"
#include "store/records.hpp"

namespace sluice::store {

/// The longest time that a lease can be configured for.
inline constexpr duration longest_lease{std::chrono::hours{1}};

/// Whether something that was given for `ttl` still lasts. What lasts much longer than that was written before the
/// calendar was set back, and is over.
[[nodiscard]] inline bool lasts(date_time expires_at, date_time now, duration ttl) {
    return expires_at > now && expires_at - now <= 2 * ttl;
}

/// What is in a lease row beside the report.
struct lease_row {
    std::string lane{};
    std::string owner{};
    std::uint64_t epoch = 0;
    date_time expires_at{};
    sequence mark = 0;
    std::uint64_t rescan = 0;
    std::string former{};  ///< lanes of other layouts that carried these rows before, with spaces in between

    /// A lease that lasts much longer than one can be given for was written before the calendar was set back. It is
    /// over: its owner may live, but is shut out like any that was replaced, and nobody waits for a dead one until the
    /// calendar has caught up.
    /// @param ttl  for how long leases are given
    [[nodiscard]] bool is_owned(date_time now, duration ttl) const {
        return !owner.empty() && lasts(expires_at, now, ttl);
    }
    [[nodiscard]] bool may_be_taken_by(std::string_view who, date_time now, duration ttl) const {
        return !is_owned(now, ttl) || owner == who;
    }
};

/// What has to be done to the lease rows of a broker before one of its lanes may be taken. Pure.
///
/// All rows of a broker belong to one layout: the lanes over which its streams are spread, at the moment. Another
/// layout (another number of shards) takes its place as a whole, and only when no lane of it is owned any more: then a
/// stream changes its lane without two owners at a time. The new lanes begin at the lowest mark of the old ones, so
/// nothing is left out and history is not read again; and above every epoch used so far, because a lane of the same
/// name may have been there before.
///
/// The names of all former lanes are kept: a broker that fences must shut out those who may still publish under them.
///
/// Applied in the transaction that takes the lane.
struct lane_layout {
    /// The lane in the way and its owner, in a person's words; then nothing may be done.
    std::string obstacle{};
    std::vector<std::string> retired{};  ///< rows to delete
    std::vector<std::string> created{};  ///< rows to add, without owner, with what follows
    sequence mark = 0;
    std::uint64_t epoch = 0;
    std::uint64_t rescan = 0;
    std::string former{};

    /// @param rows  of the broker of `lane`, whatever their layout
    /// @param ttl  for how long leases are given
    [[nodiscard]] static lane_layout with(std::string_view lane, std::span<const lease_row> rows, date_time now,
                                          duration ttl = longest_lease);
};

[[nodiscard]] std::vector<std::string> split_former(std::string_view names);

/// `default:partner#1/2 belongs to host-17-ab`
[[nodiscard]] std::string obstacle_text(std::string_view lane, std::string_view owner);

/// `default:partner#1/2 is handed over to host-17-ab`
[[nodiscard]] std::string heir_text(std::string_view lane, std::string_view heir);

/// What a lane without an owner waits for: `waits for another number of shards to end: default:partner#1/2 belongs to
/// host-17-ab`. Empty when nothing of the kind is in its way.
[[nodiscard]] std::string waiting_text(std::string_view lane, std::span<const lane_status> lanes, date_time now);

}  // namespace sluice::store
