#include "store/row_sql.hpp"

#include "base/sha256.hpp"

namespace sluice::store {

namespace {

using detail::comparison_kind;
using detail::table_layout;

const char* operator_for(comparison_kind how) {
    switch (how) {
        case comparison_kind::less:
            return " < ";
        case comparison_kind::less_or_equal:
            return " <= ";
        case comparison_kind::greater:
            return " > ";
        case comparison_kind::greater_or_equal:
            return " >= ";
        case comparison_kind::not_equal:
            return " <> ";
        default:
            return " = ";
    }
}

std::string condition_text(const table_layout& layout, const detail::row_condition& condition, char marker,
                           std::vector<row_value>& values) {
    const std::string column = quoted_name(condition.column);
    if (condition.how == comparison_kind::missing) return column + " IS NULL";
    if (condition.how == comparison_kind::present) return column + " IS NOT NULL";
    const detail::table_column& holds = *layout.find(condition.column);
    values.push_back({holds.kind, condition.value, holds.digits});
    const std::string compared = column + operator_for(condition.how) + marker + std::to_string(values.size());
    return condition.how == comparison_kind::not_equal ? "(" + compared + " OR " + column + " IS NULL)" : compared;
}

std::string order_text(const table_layout& layout, const std::vector<detail::row_order>& orders) {
    std::string sql = " ORDER BY ";
    for (const auto& [column, descending] : orders) {
        sql += quoted_name(column) + (descending ? " DESC" : "");
        // Said only where it can matter: an index serves the plain form.
        if (layout.find(column)->optional) sql += descending ? " NULLS FIRST" : " NULLS LAST";
        sql += ", ";
    }
    return sql + quoted_name(layout.key);
}

}  // namespace

std::string quoted_name(std::string_view name) { return '"' + std::string{name} + '"'; }

std::string column_list(const table_layout& layout) {
    std::string list;
    for (const auto& column : layout.columns) list += (list.empty() ? "" : ", ") + quoted_name(column.name);
    return list;
}

std::string create_index_sql(const row_table& table, const std::vector<std::string>& columns, std::string_view in_sql) {
    std::string list;
    for (const auto& column : columns) list += (list.empty() ? "" : ", ") + quoted_name(column);
    return "CREATE INDEX IF NOT EXISTS " + quoted_name(index_name(table, columns)) + " ON " + std::string{in_sql} +
           " (" + list + ")";
}

std::string index_name(const row_table& table, const std::vector<std::string>& columns) {
    constexpr std::size_t digits = 8;
    std::string text;
    for (const auto& column : columns) text += column + "\n";
    return physical_name(table) + "__i" + base::sha256_hex(text).substr(0, digits);
}

row_clauses conditions_of(const table_layout& layout, const detail::row_query& query, char marker) {
    row_clauses made;
    for (const auto& condition : query.where) {
        made.sql += made.sql.empty() ? " WHERE " : " AND ";
        made.sql += condition_text(layout, condition, marker, made.values);
    }
    return made;
}

row_clauses clauses_of(const table_layout& layout, const detail::row_query& query, char marker) {
    auto made = conditions_of(layout, query, marker);
    made.sql += order_text(layout, query.order);
    const auto number = [&](std::size_t value) {
        made.values.push_back({detail::column_kind::integer, json::value{static_cast<std::int64_t>(value)}, 0});
        return marker + std::to_string(made.values.size());
    };
    made.sql += " LIMIT " + number(query.limit);
    made.sql += " OFFSET " + number(query.offset);
    return made;
}

}  // namespace sluice::store
