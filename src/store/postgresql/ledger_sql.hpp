#pragma once

/// Pieces of SQL that know what became of an event at one broker (see ledger.hpp). `broker` is a parameter or an
/// expression with the broker's name; `e` is the event's row of the log.

/// What a refusal says when the end of the ledger is not where it was thought to be. No timeline has this number.
#define SLUICE_LEDGER_MOVED "-1"

#define SLUICE_BIT(broker) "(SELECT 1::bigint << number FROM @outbox_broker WHERE name = " broker ")"
#define SLUICE_FLOOR(broker) "(SELECT floor FROM @outbox_broker WHERE name = " broker ")"

#define SLUICE_OPEN_STATUS(status) status " IN ('pending', 'failed', 'processing')"

/// Whether a stream falls to a shard (see shard::carries).
#define SLUICE_CARRIES(stream, number, count)                                                                 \
    "CASE WHEN " count                                                                                        \
    " = 1 THEN true ELSE "                                                                                    \
    "('x' || encode(substr(sha256(convert_to(" stream ", 'UTF8')), 1, 2), 'hex'))::bit(16)::integer % " count \
    " = " number " - 1 END"

/// The row of the event, where it has one. A sub-select with OFFSET 0 is a fence for the planner: what is inside is
/// looked up by its key for each event outside, in their order, and never joined in another way.
#define SLUICE_ROW_OF_EVENT(broker)                                                                                  \
    "LEFT JOIN LATERAL (SELECT seq, status, priority, retry_count, next_retry_at, last_error FROM @outbox_row AS r " \
    "WHERE r.target_broker = " broker " AND r.seq = e.seq OFFSET 0) AS o ON true "

/// Place of the event `e` within the record `r`, or NULL.
#define SLUICE_NTH_IN_RECORD                                                                    \
    "CASE WHEN r.after >= e.seq THEN NULL WHEN r.seqs IS NULL THEN (e.seq - r.after)::integer " \
    "ELSE array_position(r.seqs, (e.seq - r.after)::integer) END"

/// The records of `b`, a row of `broker`, that may list the event `e`: one of each part.
#define SLUICE_RECORDS_AT_EVENT                                                                                    \
    "unnest(b.parts) AS p (part) CROSS JOIN LATERAL (SELECT * FROM @outbox_ledger AS l WHERE l.broker = b.number " \
    "AND l.part = p.part AND l.upto >= e.seq ORDER BY l.upto LIMIT 1) AS r"

#define SLUICE_IN_LEDGER(broker)                                                                                    \
    "EXISTS (SELECT FROM @outbox_broker AS b CROSS JOIN LATERAL " SLUICE_RECORDS_AT_EVENT " WHERE b.name = " broker \
    " AND " SLUICE_NTH_IN_RECORD " IS NOT NULL)"

/// When the event `e` was published at `b`, and its receipt: no row when it is not in the ledger.
#define SLUICE_LEDGER_LINE                                                                                   \
    "LATERAL (SELECT r.settled_at - coalesce(r.times[n.nth], 0) * interval '1 microsecond' AS published_at," \
    " nullif(r.receipt_head || split_part(r.receipts, E'\\x1f', n.nth), '') AS receipt"                      \
    " FROM " SLUICE_RECORDS_AT_EVENT " CROSS JOIN LATERAL (SELECT " SLUICE_NTH_IN_RECORD                     \
    " AS nth) AS n"                                                                                          \
    " WHERE n.nth IS NOT NULL LIMIT 1)"

/// All numbers above `after` that are in the ledger, up to `upto` at least.
#define SLUICE_LISTED(broker, after, upto)                                                                           \
    "SELECT r.after + d.n FROM @outbox_broker AS b CROSS JOIN LATERAL unnest(b.parts) AS p (part)"                   \
    " CROSS JOIN LATERAL (SELECT after, upto, seqs FROM @outbox_ledger AS l WHERE l.broker = b.number AND l.part = " \
    "p.part"                                                                                                         \
    " AND l.upto > " after                                                                                           \
    " AND l.upto <= coalesce((SELECT last.upto FROM @outbox_ledger AS last WHERE last.broker = b.number"             \
    " AND last.part = p.part AND last.upto >= " upto                                                                 \
    " ORDER BY last.upto LIMIT 1), 9223372036854775807) OFFSET 0) AS r"                                              \
    " CROSS JOIN LATERAL (SELECT unnest(r.seqs) UNION ALL"                                                           \
    " SELECT generate_series(1, (r.upto - r.after)::integer) WHERE r.seqs IS NULL) AS d (n)"                         \
    " WHERE b.name = " broker
