#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sluice/json.hpp>

#include "store/read_model_records.hpp"

/// SQL over the tables of read models, for the stores that have SQL. Pure. Names are quoted; the rules of a read
/// model's declaration let none through that holds a quote.
namespace sluice::store {

/// `"order_summary"`.
[[nodiscard]] std::string quoted_name(std::string_view name);
/// `"order_id", "customer"`, in the order of the columns.
[[nodiscard]] std::string column_list(const detail::table_layout& layout);
/// `order_summary__g3__i` and eight digits that tell its columns from those of another index.
[[nodiscard]] std::string index_name(const row_table& table, const std::vector<std::string>& columns);
/// @param in_sql  the table as the store's SQL names it
[[nodiscard]] std::string create_index_sql(const row_table& table, const std::vector<std::string>& columns,
                                           std::string_view in_sql);

/// A value to hand over with a statement.
struct row_value {
    detail::column_kind kind = detail::column_kind::text;
    json::value value{};
    int digits = 0;  ///< after the point, of a decimal
};

/// `WHERE … ORDER BY … LIMIT … OFFSET …` with a value for each parameter.
struct row_clauses {
    std::string sql{};
    std::vector<row_value> values{};
};

/// @param marker  of parameters: `?` for SQLite, `$` for PostgreSQL
[[nodiscard]] row_clauses clauses_of(const detail::table_layout& layout, const detail::row_query& query, char marker);
/// The conditions only.
[[nodiscard]] row_clauses conditions_of(const detail::table_layout& layout, const detail::row_query& query,
                                        char marker);

}  // namespace sluice::store
