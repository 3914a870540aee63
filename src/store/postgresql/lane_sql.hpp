#pragma once

#include <string>

#include "store/postgresql/connection.hpp"

namespace sluice::store::postgresql {

/// The statements of a lane. A test asserts how the server executes those whose speed must not depend on the length of
/// the history.
struct lane_statements {
    explicit lane_statements(const std::string& schema);

    // $1 lane, $2 broker, $3 owner, $4 now or NULL for the server's clock, $5 lanes of the layout,
    // $6 ttl
    statement read_lease;
    statement lock_layout;    ///< $1 broker
    statement change_layout;  ///< $1 broker, $2 lanes of the layout, $3 now or NULL for the server's clock, $4 since,
                              ///< $5 ttl
    // $1 lane, $2 broker, $3 lanes of the layout, $4 owner, $5 now or NULL for the server's clock, $6 ttl, $7 since,
    // $8 highest mark, $9 history
    statement acquire;
    // $1 lane, $2 owner, $3 epoch, $4 now, $5 ttl, $6-$11 report, $12 horizon, $13 overtaken; answers whether somebody
    // stands by
    statement renew;
    statement release;         ///< $1 lane, $2 owner, $3 epoch, $4-$10 report
    statement stand_by;        ///< $1 lane, $2 owner, $3 now or NULL for the server's clock, $4 ttl
    statement withdraw;        ///< $1 lane, $2 owner
    statement withdraw_owner;  ///< $1 lane, $2 owner: only when the lane is now its own
    statement shares;          ///< $1 now or NULL for the server's clock, $2 ttl; see share_column
    statement lock_shares;
    statement choose_heir;  ///< $1 lane, $2 owner, $3 epoch, $4 heir
    // $1 lane, $2 owner, $3 epoch, $4 broker, $5 after, $6 limit, $7 high, $8 window, $9 shard, $10 shards, and $11 the
    // size in bytes from which data and metadata are NULL, or the bytes of all rows
    statement due;
    statement due_by_weight;
    statement due_behind;  ///< the same, for what lies below the end of the ledger, $12
    statement due_behind_by_weight;
    statement due_at_head;    ///< $1 lane, $2 owner, $3 epoch, $4 broker, $5 after, $6 most events, $7 large bytes
    statement late;           ///< $1 broker, $2 firsts, $3 lasts, $4 limit, $5 shard, $6 shards, $7 bytes
    statement due_in_stream;  ///< $1 lane, $2 owner, $3 epoch, $4 broker, $5 stream, $6 after, $7 upto, $8 limit,
                              ///< $9 bytes
    statement fence;  ///< $1 lane, $2 owner, $3 epoch; answers with the rescan counter, while the lane is theirs
    // $1 lane, $2 owner, $3 epoch, $4 broker, $5 part, $6-$13 columns of the record from `after` on, $14 our time
    statement list;
    statement settle;  ///< $1 lane, $2 owner, $3 epoch, $4 rescan, $5 broker, $6-$13 columns of the outcomes,
                       ///< $14 our time
    // $1 lane, $2 owner, $3 epoch, $4 broker, $5 part, $6 above, $7 limit; up to the mark
    statement records;
    // $1 lane, $2 owner, $3 epoch, $4 broker, $5 part, $6 after, $7 upto
    statement remove_records;
    // The same, and $8-$13 the columns of the record from `count` on, $14 its owner, $15 its epoch
    statement write_record;
    statement trim_ledger;    ///< $1 broker
    statement ledger_end;     ///< $1 broker, $2 part; answers whether the broker has the part, and the two ends
    statement raise_mark;     ///< $1 lane, $2 owner, $3 epoch, $4 rescan, $5 mark
    statement purge;          ///< $1 lane, $2 owner, $3 epoch, $4 broker, $5 published before, $6 abandoned before,
                              ///< $7 after, $8 most examined, $9 limit, $10 shard, $11 shards, $12 our time
    statement purge_ledger;   ///< $1 lane, $2 owner, $3 epoch, $4 broker, $5 published before, $6 limit, $7 our time,
                              ///< $8 part
    statement open_backfill;  ///< $1 broker, $2 most open rows to count; see backfill_column
    statement end_backfill_wait;  ///< $1 lane, $2 owner, $3 epoch, $4 number of the backfill
    // $1 lane, $2 owner, $3 epoch, $4 number of the backfill, $5 its position, $6 most examined, $7 broker, $8 limit,
    // $9 now, $10 until then its rate is used up, $11 microseconds per event
    statement give_backfill;
    statement next_transaction;
    statement writers;
    statement channel;           ///< $1 broker
    statement fall_asleep;       ///< $1 broker
    statement wake_up;           ///< $1 broker
    statement look;              ///< $1 lane
    statement witness;           ///< $1 number
    statement require_timeline;  ///< $1 the one known; ends the transaction on another one
};

/// Columns of `shares`: `is_heir` is NULL for the owner of a lane.
namespace share_column {
enum : int { lane, owner, is_heir };
}

/// Columns of `due`, `late` and `due_in_stream` before those of the rows.
namespace due_column {
enum : int { upto, scanned, firsts, lasts, lease, row = lease + 6 };
}
/// Columns of the lease, and of the backfill that goes on, counted from their first.
namespace lease_column {
inline constexpr int owned = 0;
inline constexpr int rescan = 1;
inline constexpr int mark = 2;
inline constexpr int filled = 3;  ///< the backfill's position; NULL: there is none
inline constexpr int fill_upto = 4;
inline constexpr int fill_paused = 5;
}  // namespace lease_column
/// Columns of a row, counted from its first.
namespace row_column {
inline constexpr int data = 10;
inline constexpr int metadata = 11;
inline constexpr int has_row = 13;
}  // namespace row_column
/// Columns of `open_backfill`.
namespace backfill_column {
enum : int { number, position, running, rate, paced_at, waits, awaited, open };
}
/// Columns of `due_at_head`: one line for each event of the log, whether it is `open` for the broker or not.
namespace head_column {
enum : int { lease, open = lease + 6, row };
}
namespace late_column {
enum : int { oldest_transaction, seq, row, offered = row + 14 };
}

}  // namespace sluice::store::postgresql
