#pragma once

#include <string>
#include <vector>

#include <sluice/detail/field_tree.hpp>
#include <sluice/detail/rows.hpp>

namespace sluice::detail {

/// The column that every read model's table has besides its own: tells a write that the row has changed since it was
/// read.
inline constexpr std::string_view row_version_column = "sluice_row_version";

/// The longest name of a read model; with generation and index it stays within the 63 bytes that PostgreSQL keeps.
inline constexpr std::size_t longest_table_name = 40;

/// Adds a column for each member of a read model's struct, and names the key: the first identifier.
void add_columns(table_layout& table, const field_tree& row);

/// What is wrong with a table, one sentence each: its name or one of its columns does not fit every store, an index
/// names a column that is not there.
[[nodiscard]] std::vector<std::string> problems_of(const table_layout& table);

/// Differs when rows written by one build mean something else to another: name, columns, key or version differ. Indexes
/// do not count.
[[nodiscard]] std::string fingerprint_of(const table_layout& table);

}  // namespace sluice::detail
