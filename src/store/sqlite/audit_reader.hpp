#pragma once

#include <string_view>

#include "store/audit.hpp"
#include "store/confirmation.hpp"
#include "store/sqlite/broker_table.hpp"
#include "store/sqlite/driver.hpp"
#include "store/sqlite/ledger_reader.hpp"
#include "store/sqlite/outbox_listing.hpp"

namespace sluice::store::sqlite {

/// Reads what an audit compares.
///
/// Thread safety and lifetime: those of the connection.
class audit_reader {
public:
    explicit audit_reader(connection& db) : db_{db} {}

    /// Of the events `after` < seq ≤ `upto`. Within the transaction that is open.
    [[nodiscard]] audit_page read(std::string_view broker, sequence after, sequence upto);
    /// What of them is published. Within the transaction that is open.
    [[nodiscard]] std::vector<confirmation> confirmations(std::string_view broker, sequence after, sequence upto);
    [[nodiscard]] std::vector<located_event> locate(const std::vector<std::string>& message_ids);

private:
    connection& db_;
    broker_table brokers_{db_};
    outbox_listing lines_{db_};
    ledger_reader ledger_{db_};
    statement end_{db_, "SELECT coalesce(max(seq), 0) FROM event_log"};
    // An event of a build that wrote a row for each broker does not know its brokers: it is meant for those.
    statement chosen_{db_,
                      "SELECT seq FROM event_log AS e WHERE seq > ?2 AND seq <= ?3 AND (targets & ?4 OR EXISTS"
                      " (SELECT 1 FROM outbox_row AS o WHERE o.target_broker = ?1 AND o.seq = e.seq)) ORDER BY seq"};
    statement rows_{db_,
                    "SELECT seq, status FROM outbox_row WHERE target_broker = ?1 AND seq > ?2 AND seq <= ?3"
                    " ORDER BY seq"};
    statement published_rows_{db_,
                              "SELECT seq, published_at, receipt FROM outbox_row WHERE target_broker = ?1 AND seq > ?2"
                              " AND seq <= ?3 AND status = 'published'"};
    statement events_{db_,
                      "SELECT seq, stream_category, type, priority FROM event_log WHERE seq > ?1 AND seq <= ?2"
                      " ORDER BY seq"};
    statement locate_{db_,
                      "SELECT message_id, seq, stream FROM event_log WHERE message_id IN (SELECT value FROM"
                      " json_each(?1))"};
};

}  // namespace sluice::store::sqlite
