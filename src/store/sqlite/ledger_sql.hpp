#pragma once

/// How the ledger is read and written. The speed of these statements must not depend on the length of the history; a
/// test asserts how SQLite executes them.
namespace sluice::store::sqlite {

/// In the order that `read_record` wants.
#define SLUICE_RECORD_COLUMNS \
    "SELECT after, upto, count, seqs, settled_at, times, receipt_head, receipts, owner, epoch FROM outbox_ledger "

/// The first record of a part that may list a number. ?1 broker, ?2 part, ?3 number.
inline constexpr auto find_record_sql =
    "SELECT after, upto, seqs FROM outbox_ledger WHERE broker = ?1 AND part = ?2 AND upto >= ?3 ORDER BY upto LIMIT 1";

/// ?1 broker, ?2 part, ?3 upto.
inline constexpr auto record_sql = SLUICE_RECORD_COLUMNS "WHERE broker = ?1 AND part = ?2 AND upto = ?3";

/// ?1 broker, ?2 part.
inline constexpr auto lowest_record_sql = SLUICE_RECORD_COLUMNS "WHERE broker = ?1 AND part = ?2 ORDER BY upto LIMIT 1";

/// ?1 broker, ?2 part, ?3 above.
inline constexpr auto whole_records_above_sql =
    SLUICE_RECORD_COLUMNS "WHERE broker = ?1 AND part = ?2 AND upto > ?3 ORDER BY upto";

#undef SLUICE_RECORD_COLUMNS

/// Below what the part lists. ?1 broker, ?2 part.
inline constexpr auto begin_sql =
    "SELECT after FROM outbox_ledger WHERE broker = ?1 AND part = ?2 ORDER BY upto LIMIT 1";

/// Leaps from part to part, and to the end of each. ?1 broker.
inline constexpr auto parts_sql =
    "WITH RECURSIVE known (part) AS (SELECT min(part) FROM outbox_ledger WHERE broker = ?1 UNION ALL"
    " SELECT (SELECT min(part) FROM outbox_ledger WHERE broker = ?1 AND part > known.part) FROM known"
    " WHERE known.part IS NOT NULL)"
    " SELECT part, (SELECT max(upto) FROM outbox_ledger WHERE broker = ?1 AND outbox_ledger.part = known.part) FROM "
    "known"
    " WHERE part IS NOT NULL";

/// ?1 broker, ?2 part, ?3 above.
inline constexpr auto records_above_sql =
    "SELECT after, count, seqs FROM outbox_ledger WHERE broker = ?1 AND part = ?2 AND upto > ?3 ORDER BY upto";

/// What neighbours need to know of each other. ?1 broker, ?2 part, ?3 above, ?4 mark, ?5 limit.
inline constexpr auto neighbours_sql =
    "SELECT after, upto, count, settled_at FROM outbox_ledger"
    " WHERE broker = ?1 AND part = ?2 AND upto > ?3 AND upto <= ?4 ORDER BY upto LIMIT ?5";

/// The first time behind a record that has come, among the next thousand. ?1 broker, ?2 part, ?3 upto, ?4 now.
inline constexpr auto next_time_sql =
    "SELECT settled_at FROM (SELECT upto, settled_at FROM outbox_ledger WHERE broker = ?1 AND part = ?2 AND upto > ?3"
    " ORDER BY upto LIMIT 1000) WHERE settled_at <= ?4 ORDER BY upto LIMIT 1";

inline constexpr auto add_record_sql =
    "INSERT INTO outbox_ledger (broker, part, after, upto, count, seqs, settled_at, times, owner, epoch, receipt_head,"
    " receipts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";

/// ?1 broker, ?2 part, ?3 upto.
inline constexpr auto delete_record_sql = "DELETE FROM outbox_ledger WHERE broker = ?1 AND part = ?2 AND upto = ?3";

}  // namespace sluice::store::sqlite
