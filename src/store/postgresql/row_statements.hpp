#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/postgresql/connection.hpp"
#include "store/postgresql/parameters.hpp"
#include "store/postgresql/result.hpp"
#include "store/read_model_records.hpp"

/// The statements on tables of read models, which are made when they are needed, because they have the table's columns
/// in them. Those that are used over and over are named after their text, so that a session prepares each once.
///
/// Rows go in as JSON, which the server takes apart by the table's type, and come back value by value.
namespace sluice::store::postgresql {

/// The table's name as `in_schema` takes it: `@"order_summary__g3"`.
[[nodiscard]] std::string in_sql(const row_table& table);

/// $1 key; answers as `read_stored_row` wants it.
[[nodiscard]] statement load_statement(const row_table& table, const std::string& schema);
[[nodiscard]] std::pair<statement, parameters> find_statement(const row_table& table, const detail::row_query& query,
                                                              const std::string& schema);
[[nodiscard]] std::pair<statement, parameters> count_statement(const row_table& table, const detail::row_query& query,
                                                               const std::string& schema);
/// Refused, or taken, when the row is not as expected.
[[nodiscard]] std::pair<statement, parameters> write_statement(const row_write& write, const std::string& schema);

/// Many rows of one table at once, whatever is there: first the statement for those to put, then that for those to
/// remove; each may be missing.
[[nodiscard]] std::vector<std::pair<statement, parameters>> bulk_statements(const std::vector<row_write>& writes,
                                                                            const std::string& schema);

/// @param found  the first columns are those of the layout
[[nodiscard]] std::string row_to_json(const detail::table_layout& layout, const result& found, int row);
[[nodiscard]] stored_row read_stored_row(const detail::table_layout& layout, const result& found);

}  // namespace sluice::store::postgresql
