#pragma once

#include <cstdint>
#include <string_view>

#include "store/records.hpp"
#include "store/sqlite/driver.hpp"

namespace sluice::store::sqlite {

/// Appends events and their outbox rows within the write transaction that is open on its connection.
///
/// Thread safety and lifetime: those of the connection.
class event_writer {
public:
    explicit event_writer(connection& db) : db_{db} {}

    [[nodiscard]] std::int64_t next_position(std::string_view stream);
    /// @throws expected_version_error, duplicate_message
    void append(const event_write& write);

private:
    connection& db_;
    statement next_position_{db_, "SELECT coalesce(max(position) + 1, 0) FROM event_log WHERE stream = ?1"};
    statement append_event_{db_,
                            "INSERT INTO event_log"
                            " (message_id, stream, stream_category, position, type, created_at, data, metadata)"
                            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"};
    statement append_row_{db_,
                          "INSERT INTO outbox (target_broker, seq, message_id, stream, priority)"
                          " VALUES (?1, ?2, ?3, ?4, ?5)"};
};

}  // namespace sluice::store::sqlite
