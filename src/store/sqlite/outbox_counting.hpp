#pragma once

#include <map>
#include <string>
#include <string_view>

#include "store/operations.hpp"
#include "store/row_sample.hpp"
#include "store/sqlite/broker_table.hpp"
#include "store/sqlite/driver.hpp"
#include "store/sqlite/ledger_reader.hpp"
#include "store/sqlite/outbox_listing.hpp"

namespace sluice::store::sqlite {

/// Counts what `outbox_listing` would list.
///
/// Thread safety and lifetime: those of the connection.
class outbox_counting {
public:
    explicit outbox_counting(connection& db) : db_{db} {}

    /// Of each broker that has any line. Within the transaction that is open.
    [[nodiscard]] std::map<std::string, outbox_counts> summary();

private:
    void count_rows(std::string_view broker, sequence mark, outbox_counts& counts);
    void count_events(const numbered_broker& broker, sequence mark, outbox_counts& counts);
    /// What is chosen there, and neither listed nor in a row. From a sample where the range is too long to count.
    [[nodiscard]] std::int64_t count_pending(const numbered_broker& broker, const number_range& range);
    /// How many rows the broker has from one number up to another, from a sample.
    [[nodiscard]] std::int64_t estimate_rows(std::string_view broker, sequence from, sequence upto);

    connection& db_;
    broker_table brokers_{db_};
    outbox_listing lines_{db_};
    ledger_reader ledger_{db_};
    statement count_above_{db_,
                           "SELECT status, count, (SELECT created_at FROM event_log WHERE event_log.seq = first)"
                           " FROM (SELECT status, count(*) AS count, min(seq) AS first FROM outbox_row"
                           " WHERE target_broker = ?1 AND seq > ?2 GROUP BY status)"};
    statement count_below_{db_,
                           "SELECT count(*), min(seq) FROM (SELECT seq FROM outbox_row WHERE target_broker = ?1"
                           " AND seq <= ?2 ORDER BY seq LIMIT ?3)"};
    statement count_abandoned_below_{db_,
                                     "SELECT count(*) FROM outbox_row INDEXED BY outbox_abandoned"
                                     " WHERE target_broker = ?1 AND seq <= ?2 AND abandoned_at IS NOT NULL"};
    statement sample_{db_,
                      "WITH RECURSIVE beginning (at) AS (VALUES (?2) UNION ALL"
                      " SELECT at + ?4 FROM beginning WHERE at + ?4 <= ?3)"
                      " SELECT sum((SELECT count(*) FROM outbox_row WHERE target_broker = ?1 AND seq >= at"
                      " AND seq < at + ?5 AND seq <= ?6)) FROM beginning"};
    statement count_listed_{db_, "SELECT coalesce(sum(count), 0) FROM outbox_ledger WHERE broker = ?1"};
    statement first_open_row_{db_,
                              "SELECT min(seq) FROM outbox_row WHERE target_broker = ?1 AND status IN"
                              " ('pending', 'failed', 'processing')"};
    statement last_{db_, "SELECT coalesce(max(seq), 0) FROM event_log"};
    statement count_chosen_{db_, "SELECT count(*) FROM event_log WHERE seq > ?1 AND seq <= ?2 AND targets & ?3"};
    statement count_rows_of_chosen_{db_,
                                    "SELECT count(*) FROM outbox_row o CROSS JOIN event_log e ON e.seq = o.seq"
                                    " WHERE o.target_broker = ?4 AND o.seq > ?1 AND o.seq <= ?2 AND e.targets & ?3"};
    statement without_row_{db_,
                           "SELECT seq FROM event_log AS e WHERE seq > ?1 AND seq <= ?2 AND targets & ?3 AND NOT EXISTS"
                           " (SELECT 1 FROM outbox_row o WHERE o.target_broker = ?4 AND o.seq = e.seq) ORDER BY seq"};
};

}  // namespace sluice::store::sqlite
