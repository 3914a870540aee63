#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include <sluice/time.hpp>

#include "store/ledger.hpp"
#include "store/sqlite/broker_table.hpp"
#include "store/sqlite/driver.hpp"
#include "store/sqlite/ledger_sql.hpp"

namespace sluice::store::sqlite {

/// A record with what the table keeps beside it.
struct stored_record {
    int part = 0;
    ledger_record record{};
    std::string owner{};
    std::uint64_t epoch = 0;
};

/// Keeps the ledger of a broker small. Everything happens within the write transaction in which the lease was found to
/// be the caller's.
///
/// Thread safety and lifetime: those of the connection.
class ledger_clean_up {
public:
    explicit ledger_clean_up(connection& db) : db_{db} {}

    /// Deletes events from the lowest upwards, of all parts, as long as they were published before the time given, and
    /// raises the broker's floor. A record that has both is cut in two.
    /// @param mark  the lowest of the broker's lanes: nothing above it is deleted
    /// @param now   a time after it says nothing: such an event goes with the next one whose time has come
    /// @returns how many events
    [[nodiscard]] std::size_t purge(const numbered_broker& broker, sequence mark, date_time published_before,
                                    date_time now, std::size_t limit);
    /// Makes one record of neighbours in one part, as far as the mark. Looks at a bounded number of records, and goes
    /// on from there in the next call.
    void merge(int broker, int part, sequence mark);

private:
    [[nodiscard]] std::vector<int> parts_of(int broker);
    /// The record that ends first; empty when there is none.
    [[nodiscard]] std::optional<stored_record> lowest(int broker, const std::vector<int>& parts);
    [[nodiscard]] bool is_behind_an_old_one(int broker, const stored_record& one, date_time published_before,
                                            date_time now);
    void write(int broker, const stored_record& one);
    void merge_group(int broker, int part, std::span<const sequence> ends);

    connection& db_;
    broker_table brokers_{db_};
    std::map<std::pair<int, int>, sequence> merged_upto_{};  ///< per broker and part
    statement parts_{db_, parts_sql};
    statement lowest_record_{db_, lowest_record_sql};
    statement record_{db_, record_sql};
    statement neighbours_{db_, neighbours_sql};
    statement next_time_{db_, next_time_sql};
    statement add_record_{db_, add_record_sql};
    statement delete_record_{db_, delete_record_sql};
};

}  // namespace sluice::store::sqlite
