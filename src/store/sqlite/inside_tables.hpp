#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "store/records.hpp"
#include "store/sqlite/driver.hpp"
#include "store/sqlite/stream_sql.hpp"

namespace sluice::store::sqlite {

/// What a bounded context keeps for itself besides aggregates and events: snapshots, outcomes of commands and scheduled
/// messages. The writes belong to the write transaction that is open on its connection.
///
/// Thread safety and lifetime: those of the connection.
class inside_tables {
public:
    explicit inside_tables(connection& db) : db_{db} {}

    [[nodiscard]] std::optional<stored_snapshot> load_snapshot(std::string_view aggregate, std::string_view id);
    [[nodiscard]] std::optional<command_outcome> outcome_of(std::string_view key, date_time now);
    [[nodiscard]] std::vector<scheduled_message> due_messages(date_time now, std::size_t limit);
    [[nodiscard]] std::optional<date_time> next_due();

    void write(const snapshot_write& snapshot);
    /// @throws duplicate_outcome  the key is in use at `now`
    void write(const command_outcome& outcome, date_time now);
    /// @throws expected_version_error  the message is not due at the time given any more
    void cancel(const cancellation& cancelled);
    void schedule(const scheduled_message& message);
    /// @throws lease_lost
    void require(const lease_fence& fence);

private:
    connection& db_;

    statement load_snapshot_{db_, "SELECT version, layout, state FROM snapshot WHERE aggregate = ?1 AND id = ?2"};
    statement outcome_of_{db_,
                          "SELECT command, fingerprint, succeeded, content, expires_at FROM command_outcome"
                          " WHERE key = ?1 AND expires_at > ?2"};
    statement due_messages_{db_, due_messages_sql};
    statement next_due_{db_, next_due_sql};

    statement write_snapshot_{
        db_,
        "INSERT INTO snapshot (aggregate, id, version, layout, state) VALUES (?1, ?2, ?3, ?4, ?5)"
        " ON CONFLICT (aggregate, id) DO UPDATE SET version = excluded.version,"
        " layout = excluded.layout, state = excluded.state WHERE snapshot.version <= excluded.version"};
    statement write_outcome_{
        db_,
        "INSERT INTO command_outcome (key, command, fingerprint, succeeded, content, expires_at)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        " ON CONFLICT (key) DO UPDATE SET command = excluded.command,"
        " fingerprint = excluded.fingerprint, succeeded = excluded.succeeded,"
        " content = excluded.content, expires_at = excluded.expires_at WHERE command_outcome.expires_at <= ?7"};
    statement cancel_{db_, "DELETE FROM scheduled WHERE id = ?1"};
    statement cancel_due_{db_, "DELETE FROM scheduled WHERE id = ?1 AND due_at = ?2"};
    statement schedule_{db_,
                        "INSERT OR REPLACE INTO scheduled (id, due_at, message_id, stream, stream_category, type, data,"
                        " metadata, created_at, priority, target_brokers, expected_position)"
                        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"};
    statement has_epoch_{db_, "SELECT 1 FROM lease WHERE lane = ?1 AND epoch = ?2"};
};

}  // namespace sluice::store::sqlite
