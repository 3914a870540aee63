#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/operations.hpp"
#include "store/sqlite/broker_table.hpp"
#include "store/sqlite/driver.hpp"
#include "store/sqlite/ledger_reader.hpp"

namespace sluice::store::sqlite {

enum class order { newest_first, oldest_first };

/// Which statuses are asked for.
struct status_choice {
    bool published = true;
    bool pending = true;
    bool failed = true;  ///< and `processing`
    bool abandoned = true;

    [[nodiscard]] static status_choice only(row_status status) noexcept;
    [[nodiscard]] bool contains(row_status status) const noexcept;
    /// The words of those that a row may have, for `IN`.
    [[nodiscard]] std::string words() const;
    friend status_choice operator&(const status_choice& one, const status_choice& other) noexcept;
};

/// Lists the outbox as people think of it: one line for each event and broker, wherever its status is kept.
///
/// Thread safety and lifetime: those of the connection.
class outbox_listing {
public:
    explicit outbox_listing(connection& db) : db_{db} {}

    /// By `seq` and broker, at most `filter.limit`. Within the transaction that is open. Where nothing published is
    /// asked for, it looks for pending events above the marks of their lanes only.
    [[nodiscard]] std::vector<outbox_row> list(const outbox_filter& filter, const status_choice& wanted,
                                               order direction);
    /// Those that have a number or a row, by name.
    [[nodiscard]] std::vector<std::string> brokers();
    /// Whether it names the stream of one aggregate that has events; else it can only be a category.
    [[nodiscard]] bool is_stream(const std::string& name) { return !name.empty() && is_stream_.query(name).next(); }
    /// The brokers that have a row.
    [[nodiscard]] std::vector<std::string> brokers_with_rows();
    /// The number up to which every event of the broker is settled; 0 when no lane of it ever ran.
    [[nodiscard]] sequence lowest_mark(std::string_view broker);

private:
    /// A broker whose events are looked at, and where what is asked for may lie.
    struct looked_at {
        numbered_broker broker;
        sequence after = 0;
        sequence upto = 0;
        sequence pending_above = 0;
        std::unique_ptr<ledger_reader> ledger;
    };

    [[nodiscard]] std::vector<outbox_row> rows(const outbox_filter& filter, const status_choice& wanted,
                                               order direction);
    [[nodiscard]] std::vector<outbox_row> events(const outbox_filter& filter, const status_choice& wanted,
                                                 order direction);
    [[nodiscard]] std::vector<looked_at> brokers_of(const outbox_filter& filter, const status_choice& wanted);
    /// What the event's line at the broker says; nothing when it has a row, is not asked for, or was purged.
    [[nodiscard]] std::optional<settlement> status_of(sequence seq, const looked_at& at, const status_choice& wanted);

    connection& db_;
    broker_table brokers_{db_};
    statement brokers_with_rows_{
        db_,
        "WITH RECURSIVE broker (name) AS (SELECT min(target_broker) FROM outbox_row UNION ALL"
        " SELECT (SELECT min(target_broker) FROM outbox_row WHERE target_broker > name) FROM broker"
        " WHERE name IS NOT NULL) SELECT name FROM broker WHERE name IS NOT NULL"};
    statement is_stream_{db_, "SELECT 1 FROM event_log WHERE stream = ?1 LIMIT 1"};
    statement marks_{db_, "SELECT lane, mark FROM lease"};
    statement has_row_{db_, "SELECT 1 FROM outbox_row WHERE target_broker = ?1 AND seq = ?2"};
};

}  // namespace sluice::store::sqlite
