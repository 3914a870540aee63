#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/records.hpp"
#include "store/sqlite/driver.hpp"

namespace sluice::store::sqlite {

/// A broker by the number that events and the ledger know it by.
struct numbered_broker {
    int number = 0;
    std::string name{};
    sequence floor = 0;  ///< events up to here that are neither in the ledger nor in a row have been purged

    /// In `event_log.targets`.
    [[nodiscard]] std::int64_t bit() const noexcept { return std::int64_t{1} << number; }
};

inline constexpr int most_brokers = 63;

/// The table `broker`. A number is given once and stays: it is asked for in each transaction again, because the file
/// may be another one by then.
///
/// Thread safety and lifetime: those of the connection.
class broker_table {
public:
    explicit broker_table(connection& db) : db_{db} {}

    [[nodiscard]] std::optional<numbered_broker> find(std::string_view name);
    /// By name.
    [[nodiscard]] std::vector<numbered_broker> all();
    /// Gives the name the next number, within the write transaction that is open.
    /// @throws usage_error  there is none left
    [[nodiscard]] numbered_broker add(std::string_view name);
    /// Within a write transaction: what the ledger held up to here was deleted.
    void raise_floor(int number, sequence floor, std::int64_t deleted);

private:
    connection& db_;
    statement find_{db_, "SELECT number, name, floor FROM outbox_broker WHERE name = ?1"};
    statement all_{db_, "SELECT number, name, floor FROM outbox_broker ORDER BY name"};
    statement next_{db_, "SELECT coalesce(max(number) + 1, 0) FROM outbox_broker"};
    statement add_{db_, "INSERT INTO outbox_broker (number, name) VALUES (?1, ?2)"};
    statement raise_floor_{
        db_, "UPDATE outbox_broker SET floor = max(floor, ?2), confirmed = confirmed + ?3 WHERE number = ?1"};
};

}  // namespace sluice::store::sqlite
