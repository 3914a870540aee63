#pragma once

#include "store/records.hpp"
#include "store/sqlite/driver.hpp"

/// How the log is read by stream. The speed of these statements must not depend on the length of the history; a test
/// asserts how SQLite executes them.
namespace sluice::store::sqlite {

#define SLUICE_EVENT_COLUMNS \
    "SELECT e.seq, e.position, e.message_id, e.stream, e.stream_category, e.type, e.data, e.metadata, e.created_at "

/// The columns that `read_stream_event` reads.
inline constexpr auto event_columns = SLUICE_EVENT_COLUMNS;

/// ?1 stream, ?2 first position, ?3 limit.
inline constexpr auto read_stream_sql =
    SLUICE_EVENT_COLUMNS "FROM event_log e WHERE e.stream = ?1 AND e.position >= ?2 ORDER BY e.position LIMIT ?3";

/// ?1 stream.
inline constexpr auto last_of_stream_sql =
    SLUICE_EVENT_COLUMNS "FROM event_log e WHERE e.stream = ?1 ORDER BY e.position DESC LIMIT 1";

#undef SLUICE_EVENT_COLUMNS

/// ?1 category, ?2 after, ?3 before, ?4 limit. Leaps from one name to the next, so a stream costs the same however many
/// events it has. Another category may begin with the same words (`shop::order-history`), so the first event decides.
inline constexpr auto streams_sql =
    "WITH RECURSIVE named (stream) AS ("
    "SELECT min(stream) FROM event_log WHERE stream > ?2 AND stream < ?3 UNION ALL "
    "SELECT (SELECT min(stream) FROM event_log WHERE stream > named.stream AND stream < ?3) FROM named "
    "WHERE named.stream IS NOT NULL) "
    "SELECT stream FROM named WHERE stream IS NOT NULL AND (SELECT first.stream_category FROM event_log first "
    "WHERE first.stream = named.stream AND first.position = 0) = ?1 LIMIT ?4";

/// ?1 now, ?2 limit.
inline constexpr auto due_messages_sql =
    "SELECT id, due_at, message_id, stream, stream_category, type, data, metadata, created_at, priority, "
    "target_brokers, expected_position FROM scheduled WHERE due_at <= ?1 ORDER BY due_at, id LIMIT ?2";

inline constexpr auto next_due_sql = "SELECT min(due_at) FROM scheduled";

[[nodiscard]] inline stream_event read_stream_event(const rows& found) {
    return {.seq = found.integer(0),
            .position = found.integer(1),
            .event = {.message_id = found.text(2),
                      .stream = found.text(3),
                      .stream_category = found.text(4),
                      .type = found.text(5),
                      .data = found.text(6),
                      .metadata = found.text(7),
                      .created_at = found.time(8)}};
}

}  // namespace sluice::store::sqlite
