#pragma once

/// The statements whose speed must not depend on the length of the history. A test asserts how SQLite executes them.
namespace sluice::store::sqlite {

#define SLUICE_DUE_COLUMNS                                                                                       \
    "SELECT o.seq, o.status, o.priority, o.retry_count, o.next_retry_at, o.last_error, o.message_id, o.stream, " \
    "e.stream_category, e.type, e.data, e.metadata, e.created_at "

/// ?1 broker, ?2 after, ?3 limit. CROSS JOIN keeps the order of the loops.
inline constexpr auto due_sql = SLUICE_DUE_COLUMNS
    "FROM outbox o CROSS JOIN event_log e ON e.seq = o.seq "
    "WHERE o.target_broker = ?1 AND o.seq > ?2 AND o.status IN ('pending', 'failed', 'processing') "
    "ORDER BY o.seq LIMIT ?3";

/// For a lane in shards, which looks at each row's stream by itself. ?1 broker, ?2 after, ?3 most examined.
inline constexpr auto walk_sql =
    "SELECT seq, stream, status IN ('pending', 'failed', 'processing') FROM outbox "
    "WHERE target_broker = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";

/// ?1 broker, ?2 seq.
inline constexpr auto row_sql = SLUICE_DUE_COLUMNS
    "FROM outbox o CROSS JOIN event_log e ON e.seq = o.seq WHERE o.target_broker = ?1 AND o.seq = ?2";

/// ?1 broker, ?2 stream, ?3 after, ?4 upto, ?5 limit. Within one stream, position and seq rise together.
inline constexpr auto due_in_stream_sql = SLUICE_DUE_COLUMNS
    "FROM event_log e CROSS JOIN outbox o ON o.target_broker = ?1 AND o.seq = e.seq "
    "WHERE e.stream = ?2 AND e.seq > ?3 AND e.seq <= ?4 AND o.status IN ('pending', 'failed', 'processing') "
    "ORDER BY e.position LIMIT ?5";

#undef SLUICE_DUE_COLUMNS

/// ?1 broker, ?2 seq, ?3 status, ?4 retry_count, ?5 next_retry_at, ?6 last_error, ?7 published_at, ?8 abandoned_at,
/// ?9 receipt, ?10 leaves a row alone whose attempts are fewer: its budget was renewed meanwhile.
/// What was published stays so; a discarded row changes only when it turns out to have been published.
inline constexpr auto settle_sql =
    "UPDATE outbox SET status = ?3, retry_count = ?4, next_retry_at = ?5, last_error = ?6, published_at = ?7, "
    "abandoned_at = ?8, receipt = ?9 "
    "WHERE target_broker = ?1 AND seq = ?2 AND status <> 'published' "
    "AND (?3 = 'published' OR (status <> 'abandoned' AND retry_count >= ?10))";

/// ?1 broker, ?2 after, ?3 mark, ?4 published before, ?5 abandoned before, ?6 limit.
inline constexpr auto purgeable_sql =
    "SELECT o.seq, e.created_at, "
    "(o.status = 'published' AND o.published_at < ?4) OR (o.status = 'abandoned' AND o.abandoned_at < ?5), o.stream, "
    "coalesce(o.published_at, o.abandoned_at, '') "
    "FROM outbox o CROSS JOIN event_log e ON e.seq = o.seq "
    "WHERE o.target_broker = ?1 AND o.seq > ?2 AND o.seq <= ?3 ORDER BY o.seq LIMIT ?6";

/// ?1 broker, ?2 seq.
inline constexpr auto purge_sql = "DELETE FROM outbox WHERE target_broker = ?1 AND seq = ?2";

}  // namespace sluice::store::sqlite
