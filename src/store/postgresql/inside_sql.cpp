#include "store/postgresql/inside_sql.hpp"

#include <fmt/format.h>

#include "store/postgresql/migrations.hpp"
#include "store/postgresql/server_time.hpp"

namespace sluice::store::postgresql {
namespace {

// A key that has expired is as good as none.
constexpr auto write_outcome_sql = R"sql(
WITH written AS (
    INSERT INTO @command_outcome AS known (key, command, fingerprint, succeeded, content, expires_at)
    VALUES ($1, $2, $3, $4, $5::json, $6::timestamptz + )sql" SLUICE_SHIFT("$8") R"sql()
    ON CONFLICT (key) DO UPDATE SET command = excluded.command, fingerprint = excluded.fingerprint,
        succeeded = excluded.succeeded, content = excluded.content, expires_at = excluded.expires_at
    WHERE known.expires_at <= $7::timestamptz + )sql" SLUICE_SHIFT("$8") R"sql(
    RETURNING 1
)
SELECT CASE WHEN NOT EXISTS (SELECT FROM written) THEN @sluice_refuse(0) END)sql";

constexpr auto write_snapshot_sql = R"sql(
INSERT INTO @snapshot AS known (aggregate, id, version, layout, state) VALUES ($1, $2, $3, $4, $5::json)
ON CONFLICT (aggregate, id) DO UPDATE SET version = excluded.version, layout = excluded.layout, state = excluded.state
WHERE known.version <= excluded.version)sql";

constexpr auto cancel_due_sql = R"sql(
WITH cancelled AS (DELETE FROM @scheduled WHERE id = $1 AND due_at = $2 RETURNING 1)
SELECT CASE WHEN NOT EXISTS (SELECT FROM cancelled) THEN @sluice_refuse(0) END)sql";

constexpr auto schedule_sql = R"sql(
INSERT INTO @scheduled (id, due_at, message_id, stream, stream_category, type, data, metadata, created_at, priority,
                        target_brokers, expected_position)
VALUES ($1, $2, $3, $4, $5, $6, $7::json, $8::json, $9, $10, $11::json, $12)
ON CONFLICT (id) DO UPDATE SET due_at = excluded.due_at, message_id = excluded.message_id, stream = excluded.stream,
    stream_category = excluded.stream_category, type = excluded.type, data = excluded.data,
    metadata = excluded.metadata, created_at = excluded.created_at, priority = excluded.priority,
    target_brokers = excluded.target_brokers, expected_position = excluded.expected_position)sql";

// Shared, so that units under one lease do not wait for each other; who wants to take the lease waits for them all.
constexpr auto require_lease_sql = R"sql(
WITH held AS MATERIALIZED (SELECT 1 FROM @lease WHERE lane = $1 AND epoch = $2 FOR SHARE)
SELECT CASE WHEN NOT EXISTS (SELECT FROM held) THEN @sluice_refuse(0) END)sql";

constexpr auto due_messages_sql = R"sql(
SELECT id, due_at, message_id, stream, stream_category, type, data, metadata, created_at, priority, target_brokers,
       expected_position
FROM @scheduled WHERE due_at <= $1::timestamptz + )sql" SLUICE_SHIFT("$3") R"sql( ORDER BY due_at, id LIMIT $2)sql";

std::string event_where(std::string_view condition) {
    return fmt::format("SELECT {} FROM @event_log AS e WHERE {}", event_columns, condition);
}

}  // namespace

inside_statements::inside_statements(const std::string& schema)
    : read_stream{"sluice_read_stream",
                  in_schema(event_where("e.stream = $1 AND e.position >= $2 ORDER BY e.position LIMIT $3"), schema)},
      last_of_stream{"sluice_last_of_stream",
                     in_schema(event_where("e.stream = $1 ORDER BY e.position DESC LIMIT 1"), schema)},
      load_snapshot{"sluice_load_snapshot",
                    in_schema("SELECT version, layout, state FROM @snapshot WHERE aggregate = $1 AND id = $2", schema)},
      outcome_of{"sluice_outcome_of",
                 in_schema("SELECT command, fingerprint, succeeded, content, expires_at FROM @command_outcome"
                           " WHERE key = $1 AND expires_at > $2::timestamptz + " SLUICE_SHIFT("$3"),
                           schema)},
      due_messages{"sluice_due_messages", in_schema(due_messages_sql, schema)},
      next_due{"sluice_next_due", in_schema("SELECT min(due_at) FROM @scheduled", schema)},
      write_outcome{"sluice_write_outcome", in_schema(write_outcome_sql, schema)},
      write_snapshot{"sluice_write_snapshot", in_schema(write_snapshot_sql, schema)},
      cancel{"sluice_cancel", in_schema("DELETE FROM @scheduled WHERE id = $1", schema)},
      cancel_due{"sluice_cancel_due", in_schema(cancel_due_sql, schema)},
      schedule{"sluice_schedule", in_schema(schedule_sql, schema)},
      require_lease{"sluice_require_lease", in_schema(require_lease_sql, schema)} {}

}  // namespace sluice::store::postgresql
