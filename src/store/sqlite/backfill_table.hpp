#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "store/backfill.hpp"
#include "store/sqlite/driver.hpp"

namespace sluice::store::sqlite {

/// The table `outbox_backfill`.
///
/// Thread safety and lifetime: those of the connection.
class backfill_table {
public:
    explicit backfill_table(connection& db) : db_{db} {}

    /// The one of the broker that has not ended.
    [[nodiscard]] std::optional<backfill> open(std::string_view broker);
    /// How far the lanes may go meanwhile; nothing when there is none.
    [[nodiscard]] std::optional<backfill_place> place(std::string_view broker);
    /// The newest first, at most `limit`, of one broker or, when its name is empty, of all.
    [[nodiscard]] std::vector<backfill> list(std::string_view broker, std::size_t limit);
    /// Within the write transaction that is open. Returns its number.
    std::int64_t add(const backfill& one);
    /// Writes what changes in the course of one; likewise.
    void update(const backfill& one);

private:
    connection& db_;
    statement open_{db_, select_open_sql};
    statement place_{db_,
                     "SELECT position, upto, state = 'paused' FROM outbox_backfill "
                     "WHERE target_broker = ?1 AND state IN ('running', 'paused')"};
    statement list_{db_, list_sql};
    statement add_{db_,
                   "INSERT INTO outbox_backfill (target_broker, after, types, streams, rate, state, position, upto, "
                   "begun_at, paced_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"};
    statement update_{db_,
                      "UPDATE outbox_backfill SET rate = ?2, state = ?3, position = ?4, given = ?5, paced_at = ?6, "
                      "ended_at = ?7 WHERE number = ?1"};

#define SLUICE_BACKFILL_COLUMNS                                                                                     \
    "SELECT number, target_broker, after, types, streams, rate, state, position, upto, given, begun_at, paced_at, " \
    "ended_at FROM outbox_backfill "
    static constexpr auto select_open_sql =
        SLUICE_BACKFILL_COLUMNS "WHERE target_broker = ?1 AND state IN ('running', 'paused')";
    static constexpr auto list_sql =
        SLUICE_BACKFILL_COLUMNS "WHERE ?1 IN ('', target_broker) ORDER BY number DESC LIMIT ?2";
#undef SLUICE_BACKFILL_COLUMNS
};

}  // namespace sluice::store::sqlite
