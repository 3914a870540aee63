#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sluice/time.hpp>

#include "store/lane_name.hpp"
#include "store/records.hpp"

/// What became of an event at one broker is known from three things: the brokers that its commit chose for it, the
/// ledger of each lane, and a row for whatever took another course than the ordinary one. An event that is in the
/// ledger is published; one that has a row has the row's status; any other is pending.
namespace sluice::store {

/// One record of the ledger: events that one lane published with one settlement, each at the first attempt.
///
/// The records of one part are disjoint and ascend, and an event that is in one has no row.
struct ledger_record {
    sequence after = 0;  ///< one below the first number in it
    sequence upto = 0;   ///< the last number in it
    std::int64_t count = 0;
    std::vector<std::int32_t> seqs{};   ///< the numbers less `after`, ascending; empty: every number of the range
    date_time settled_at{};             ///< when the last of them was confirmed
    std::vector<std::int32_t> times{};  ///< microseconds before `settled_at`, for each; empty: all at once
    /// What the receipts begin with, and the rest of each, separated by `receipt_separator`. Nothing when none of them
    /// has a receipt.
    std::string receipt_head{};
    std::optional<std::string> receipts{};
};

inline constexpr char receipt_separator = '\x1f';

/// How a batch is written down.
struct sorted_settlements {
    std::optional<ledger_record> record{};
    std::vector<const settlement*> rows{};  ///< what needs a row of its own
};

/// What of a batch goes into the ledger, and what becomes a row: everything that was not published, was not published
/// at once, or has come too late for its place in the ledger. Pure.
/// @param top      the end of the last record of the lane's part
/// @param has_row  whether the event of this number has a row
[[nodiscard]] sorted_settlements sort_settlements(std::span<const settlement> settlements, sequence top,
                                                  const std::function<bool(sequence)>& has_row);

/// What the record says of each event in it, in their order. Pure.
[[nodiscard]] std::vector<settlement> settlements_in(const ledger_record& record);

/// How large a record is, and when it was written.
struct record_extent {
    std::int64_t count = 0;
    date_time settled_at{};
};

/// Which neighbours are to become one record, so that a lane that sends events one by one keeps a small ledger: how
/// many of them go together, group by group. Pure.
[[nodiscard]] std::vector<std::size_t> merge_groups(std::span<const record_extent> records);

/// One record in place of these neighbours; nothing when they do not fit into one. Pure.
[[nodiscard]] std::optional<ledger_record> merge_records(std::span<const ledger_record> records);

/// The part of a broker's ledger that a lane writes: 101 for a lane that carries all streams, 302 for the second of
/// three.
[[nodiscard]] constexpr int ledger_part(const shard& of) noexcept { return 100 * of.count + of.number; }

}  // namespace sluice::store
