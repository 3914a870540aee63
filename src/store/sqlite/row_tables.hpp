#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/read_model_records.hpp"
#include "store/sqlite/driver.hpp"

namespace sluice::store::sqlite {

/// Reads and writes rows of read models on one connection. JSON is taken apart and put together here, value by value,
/// because SQLite's own JSON keeps only 15 digits of a number.
///
/// Thread safety and lifetime: those of the connection.
class row_tables {
public:
    explicit row_tables(connection& db) : db_{db} {}

    [[nodiscard]] std::optional<stored_row> load(const row_table& table, std::string_view key);
    [[nodiscard]] std::vector<std::string> find(const row_table& table, const detail::row_query& query);
    [[nodiscard]] std::int64_t count(const row_table& table, const detail::row_query& query);

    // Within the write transaction that is open on the connection:
    /// @throws expected_version_error
    void check(const projection_guard& guard);
    /// @throws expected_version_error
    void write(const row_write& write);

private:
    /// False when the row is not as expected.
    [[nodiscard]] bool put(const row_write& write);
    [[nodiscard]] bool remove(const row_write& write);

    connection& db_;
    statement has_generation_{db_, "SELECT 1 FROM projection WHERE name = ?1 AND generation = ?2"};
};

}  // namespace sluice::store::sqlite
