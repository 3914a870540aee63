#pragma once

/// The statements whose speed must not depend on the length of the history. A test asserts how SQLite executes them.
namespace sluice::store::sqlite {

#define SLUICE_LOG_COLUMNS                                                                                         \
    "SELECT e.seq, e.targets, e.priority, e.message_id, e.stream, e.stream_category, e.type, e.data, e.metadata, " \
    "e.created_at FROM event_log e "

/// Also the events of others. ?1 after, ?2 most examined.
inline constexpr auto log_sql = SLUICE_LOG_COLUMNS "WHERE e.seq > ?1 ORDER BY e.seq LIMIT ?2";

/// ?1 stream, ?2 after, ?3 upto. Within one stream, position and seq rise together.
inline constexpr auto log_of_stream_sql =
    SLUICE_LOG_COLUMNS "WHERE e.stream = ?1 AND e.seq > ?2 AND e.seq <= ?3 ORDER BY e.position";

#undef SLUICE_LOG_COLUMNS

#define SLUICE_ROW_COLUMNS "SELECT seq, status, retry_count, next_retry_at, last_error, priority FROM outbox_row "

/// ?1 broker, ?2 after.
inline constexpr auto rows_sql = SLUICE_ROW_COLUMNS "WHERE target_broker = ?1 AND seq > ?2 ORDER BY seq";

/// ?1 broker, ?2 seq.
inline constexpr auto row_sql = SLUICE_ROW_COLUMNS "WHERE target_broker = ?1 AND seq = ?2";

#undef SLUICE_ROW_COLUMNS

/// ?1 broker, ?2 first, ?3 last.
inline constexpr auto any_row_sql =
    "SELECT 1 FROM outbox_row WHERE target_broker = ?1 AND seq >= ?2 AND seq <= ?3 LIMIT 1";

/// What a backfill must know of events. ?1 after, ?2 upto, ?3 most examined; negative: all.
inline constexpr auto backfill_page_sql =
    "SELECT seq, targets, stream, stream_category, type, message_id, priority FROM event_log "
    "WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3";

/// ?1 broker, ?2 seq, ?3 message id, ?4 stream, ?5 priority.
inline constexpr auto backfill_row_sql =
    "INSERT INTO outbox_row (target_broker, seq, message_id, stream, status, priority, retry_count) "
    "VALUES (?1, ?2, ?3, ?4, 'pending', ?5, 0)";

/// ?1 broker, ?2 most.
inline constexpr auto count_open_rows_sql =
    "SELECT count(*) FROM (SELECT 1 FROM outbox_row WHERE target_broker = ?1 "
    "AND status IN ('pending', 'failed', 'processing') LIMIT ?2)";

/// ?1 broker, ?2 seq, ?3 status, ?4 retry_count, ?5 next_retry_at, ?6 last_error, ?7 published_at, ?8 abandoned_at,
/// ?9 receipt, ?10 leaves a row alone whose attempts are fewer, ?11 one that is pending: its budget was renewed
/// meanwhile. What was published stays so; a discarded row changes only when it turns out to have been published.
inline constexpr auto settle_sql =
    "UPDATE outbox_row SET status = ?3, retry_count = ?4, next_retry_at = ?5, last_error = ?6, published_at = ?7, "
    "abandoned_at = ?8, receipt = ?9 "
    "WHERE target_broker = ?1 AND seq = ?2 AND status <> 'published' "
    "AND (?3 = 'published' OR (status <> 'abandoned' AND retry_count >= ?10 AND NOT (?11 AND status = 'pending')))";

/// The same of an event that has no row yet. ?10 the broker's bit.
inline constexpr auto add_row_sql =
    "INSERT INTO outbox_row (target_broker, seq, message_id, stream, priority, status, retry_count, next_retry_at, "
    "last_error, published_at, abandoned_at, receipt) "
    "SELECT ?1, seq, message_id, stream, priority, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM event_log "
    "WHERE seq = ?2 AND targets & ?10";

/// ?1 broker, ?2 after, ?3 mark, ?4 published before, ?5 abandoned before, ?6 limit.
inline constexpr auto purgeable_sql =
    "SELECT o.seq, e.created_at, "
    "(o.status = 'published' AND o.published_at < ?4) OR (o.status = 'abandoned' AND o.abandoned_at < ?5), o.stream, "
    "coalesce(o.published_at, o.abandoned_at, '') "
    "FROM outbox_row o CROSS JOIN event_log e ON e.seq = o.seq "
    "WHERE o.target_broker = ?1 AND o.seq > ?2 AND o.seq <= ?3 ORDER BY o.seq LIMIT ?6";

/// ?1 broker, ?2 seq.
inline constexpr auto purge_sql = "DELETE FROM outbox_row WHERE target_broker = ?1 AND seq = ?2";

}  // namespace sluice::store::sqlite
