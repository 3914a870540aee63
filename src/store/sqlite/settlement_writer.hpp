#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "store/lease_session.hpp"
#include "store/sqlite/broker_table.hpp"
#include "store/sqlite/driver.hpp"
#include "store/sqlite/lane_sql.hpp"
#include "store/sqlite/ledger_reader.hpp"
#include "store/sqlite/ledger_sql.hpp"

namespace sluice::store::sqlite {

/// Writes what became of a lane's batch: one record of the ledger, and a row for whatever does not belong there.
///
/// Thread safety and lifetime: those of the connection.
class settlement_writer {
public:
    explicit settlement_writer(connection& db) : db_{db} {}

    /// Within the write transaction in which the lease was found to be the grant's. What the ledger lists already, or
    /// listed before it was purged, is left out: the call may be a repetition.
    /// @param reopened  an operator has renewed budgets that the lane may not know of
    void write(const lease_grant& grant, std::string_view target_broker, std::span<const settlement> settlements,
               bool reopened);

private:
    void write_record(const numbered_broker& broker, const lease_grant& grant, const ledger_record& record);
    void update_row(std::string_view target_broker, const settlement& outcome, bool reopened);
    void add_row(const numbered_broker& broker, const settlement& outcome);
    /// For the batch: most have no row in it at all.
    [[nodiscard]] bool has_any_row(std::string_view target_broker, std::span<const settlement> settlements);
    [[nodiscard]] bool has_row(std::string_view target_broker, sequence seq);

    connection& db_;
    broker_table brokers_{db_};
    ledger_reader ledger_{db_};
    std::vector<settlement> open_{};
    statement any_row_{db_, any_row_sql};
    statement settle_{db_, settle_sql};
    statement add_row_{db_, add_row_sql};
    statement add_record_{db_, add_record_sql};
};

}  // namespace sluice::store::sqlite
