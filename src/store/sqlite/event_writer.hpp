#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/records.hpp"
#include "store/sqlite/broker_table.hpp"
#include "store/sqlite/driver.hpp"

namespace sluice::store::sqlite {

/// Appends events within the write transaction that is open on its connection. Each carries the brokers that it is for.
///
/// Thread safety and lifetime: those of the connection.
class event_writer {
public:
    explicit event_writer(connection& db) : db_{db} {}

    [[nodiscard]] std::int64_t next_position(std::string_view stream);
    /// In the order given. A broker that no event was for before gets its number here.
    /// @throws expected_version_error, duplicate_message; usage_error  for too many brokers
    void append(std::span<const event_write> writes);

private:
    void append(const event_write& write);
    [[nodiscard]] std::int64_t bits_of(const std::vector<std::string>& target_brokers);

    connection& db_;
    broker_table brokers_{db_};
    std::vector<numbered_broker> known_{};  ///< in this transaction
    statement next_position_{db_, "SELECT coalesce(max(position) + 1, 0) FROM event_log WHERE stream = ?1"};
    statement append_event_{db_,
                            "INSERT INTO event_log"
                            " (message_id, stream, stream_category, position, type, created_at, targets, priority,"
                            " data, metadata) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"};
};

}  // namespace sluice::store::sqlite
