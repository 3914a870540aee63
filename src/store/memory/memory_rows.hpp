#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/memory/memory_data.hpp"

/// Rows of read models in a memory database. The caller of all of these holds the lock.
namespace sluice::store::memory {

[[nodiscard]] std::optional<stored_row> load_row(memory_data& data, const row_table& table, std::string_view key);
[[nodiscard]] std::vector<std::string> select_rows(memory_data& data, const row_table& table,
                                                   const sluice::detail::row_query& query);
[[nodiscard]] std::int64_t count_rows(memory_data& data, const row_table& table,
                                      const sluice::detail::row_query& query);

/// @throws expected_version_error
void check_guard(const memory_data& data, const projection_guard& guard);
/// @throws expected_version_error; store_error when the table does not exist
void check_row(memory_data& data, const row_write& write);
void write_row(memory_data& data, const row_write& write);

}  // namespace sluice::store::memory
