#pragma once

#include <string>

#include "store/postgresql/connection.hpp"

namespace sluice::store::postgresql {

/// The statements for what goes on inside a bounded context: streams, snapshots, outcomes of commands, scheduled
/// messages. Those that write belong to a commit. A test asserts how the server executes those whose speed must not
/// depend on the length of the history.
struct inside_statements {
    explicit inside_statements(const std::string& schema);

    statement read_stream;     ///< $1 stream, $2 first position, $3 limit
    statement last_of_stream;  ///< $1 stream
    statement load_snapshot;   ///< $1 aggregate, $2 id
    statement outcome_of;      ///< $1 key, $2 now
    statement due_messages;    ///< $1 now, $2 limit
    statement next_due;

    statement write_outcome;   ///< $1 key, $2 command, $3 fingerprint, $4 succeeded, $5 content, $6 expires, $7 now
    statement write_snapshot;  ///< $1 aggregate, $2 id, $3 version, $4 layout, $5 state
    statement cancel;          ///< $1 id
    statement cancel_due;      ///< $1 id, $2 due
    statement schedule;        ///< $1 id, $2 due, $3 message, $4 stream, $5 category, $6 type, $7 data, $8 metadata,
                               ///< $9 time, $10 priority, $11 brokers as a JSON array, $12 expected position
    statement require_lease;   ///< $1 lane, $2 epoch
};

/// The columns of an event as `read_stream_event` reads them; the log is `e`.
inline constexpr auto event_columns =
    "e.seq, e.position, e.message_id, e.stream, e.stream_category, e.type, e.data, e.metadata, e.created_at";

/// $1 category, $2 after, $3 before, $4 limit. Leaps from one name to the next, so a stream costs the same however many
/// events it has. Another category may begin with the same words (`shop::order-history`), so the first event decides.
inline constexpr auto streams_sql = R"sql(
WITH RECURSIVE named (stream) AS (
    (SELECT e.stream FROM @event_log AS e WHERE e.stream > $2 AND e.stream < $3 ORDER BY e.stream LIMIT 1)
    UNION ALL
    SELECT (SELECT e.stream FROM @event_log AS e WHERE e.stream > named.stream AND e.stream < $3
            ORDER BY e.stream LIMIT 1)
    FROM named WHERE named.stream IS NOT NULL
)
SELECT stream FROM named WHERE stream IS NOT NULL
AND (SELECT head.stream_category FROM @event_log AS head WHERE head.stream = named.stream AND head.position = 0) = $1
LIMIT $4)sql";

}  // namespace sluice::store::postgresql
