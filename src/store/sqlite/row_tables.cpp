#include "store/sqlite/row_tables.hpp"

#include <fmt/format.h>

#include <sluice/decimal.hpp>
#include <sluice/duration.hpp>
#include <sluice/json.hpp>

#include "domain/table_rules.hpp"
#include "store/row_refusals.hpp"
#include "store/row_sql.hpp"

namespace sluice::store::sqlite {
namespace {

using sluice::detail::column_kind;
using sluice::detail::row_version_column;
using sluice::detail::table_column;
using sluice::detail::table_layout;

any_value to_sql_value(column_kind kind, int digits, const json::value& value) {
    if (value.is_null()) return {};
    switch (kind) {
        case column_kind::text:
            return value.as_string();
        case column_kind::integer:
            return value.as_int();
        case column_kind::real:
            return value.as_double();
        case column_kind::boolean:
            return std::int64_t{value.as_bool() ? 1 : 0};
        case column_kind::time:
            return to_sql(date_time::parse(value.as_string()));
        case column_kind::date:
            return value.as_string();
        case column_kind::decimal:
            return sluice::detail::decimal_units(value.as_string(), digits);
        case column_kind::duration:
            return parse_duration(value.as_string()).count();
        case column_kind::json:
            break;
    }
    return json::dump(value);
}

std::vector<any_value> to_sql_values(const std::vector<row_value>& values) {
    std::vector<any_value> all;
    all.reserve(values.size());
    for (const auto& [kind, value, digits] : values) all.push_back(to_sql_value(kind, digits, value));
    return all;
}

/// A value for each column, then the row's version.
std::vector<any_value> values_of(const row_write& write) {
    const json::value row = json::parse(write.row);
    std::vector<any_value> values;
    for (const auto& column : write.table.layout->columns) {
        const json::value* value = row.find(column.name);
        values.push_back(value == nullptr ? any_value{} : to_sql_value(column.kind, column.digits, *value));
    }
    values.emplace_back(write.version);
    return values;
}

void append_value(std::string& out, const table_column& holds, const rows& found, int column) {
    if (found.null(column)) {
        out += "null";
        return;
    }
    switch (holds.kind) {
        case column_kind::text:
        case column_kind::date:
            return json::append_string(out, found.view(column));
        case column_kind::integer:
            out += std::to_string(found.integer(column));
            return;
        case column_kind::real:
            return json::append_double(out, found.real(column));
        case column_kind::boolean:
            out += found.integer(column) != 0 ? "true" : "false";
            return;
        case column_kind::time:
            return json::append_string(out, found.time(column).to_string());
        case column_kind::decimal:
            return json::append_string(out, sluice::detail::decimal_text(found.integer(column), holds.digits));
        case column_kind::duration:
            return json::append_string(out, format_duration(duration{found.integer(column)}));
        case column_kind::json:
            out += found.view(column);
    }
}

/// The row whose columns come first.
std::string to_json(const table_layout& layout, const rows& found) {
    std::string out;
    int index = 0;
    for (const auto& column : layout.columns) {
        out += out.empty() ? '{' : ',';
        json::append_string(out, column.name);
        out += ':';
        append_value(out, column, found, index++);
    }
    return out + '}';
}

std::string insert_sql(const row_table& table) {
    std::string markers;
    for (std::size_t i = 1; i <= table.layout->columns.size() + 1; ++i) {
        markers += (i == 1 ? "?" : ", ?") + std::to_string(i);
    }
    return fmt::format("INSERT INTO {} ({}, {}) VALUES ({})", quoted_name(physical_name(table)),
                       column_list(*table.layout), row_version_column, markers);
}

std::string upsert_sql(const row_table& table) {
    std::string changes;
    for (const auto& column : table.layout->columns) {
        changes += fmt::format("{0} = excluded.{0}, ", quoted_name(column.name));
    }
    return fmt::format("{0} ON CONFLICT ({1}) DO UPDATE SET {2}{3} = excluded.{3}", insert_sql(table),
                       quoted_name(table.layout->key), changes, row_version_column);
}

std::string update_sql(const row_table& table) {
    std::string changes;
    std::size_t index = 0;
    for (const auto& column : table.layout->columns)
        changes += fmt::format("{} = ?{}, ", quoted_name(column.name), ++index);
    return fmt::format("UPDATE {0} SET {1}{2} = ?{3} WHERE {4} = ?{5} AND {2} = ?{6}",
                       quoted_name(physical_name(table)), changes, row_version_column, index + 1,
                       quoted_name(table.layout->key), index + 2, index + 3);
}

}  // namespace

std::optional<stored_row> row_tables::load(const row_table& table, std::string_view key) {
    const auto& layout = *table.layout;
    // The view has no version, and who reads it wants none.
    statement select{db_, fmt::format("SELECT {}, {} FROM {} WHERE {} = ?1", column_list(layout),
                                      table.generation == 0 ? "0" : row_version_column,
                                      quoted_name(physical_name(table)), quoted_name(layout.key))};
    auto found = select.query(key);
    if (!found.next()) return std::nullopt;
    return stored_row{.row = to_json(layout, found), .version = found.integer(static_cast<int>(layout.columns.size()))};
}

std::vector<std::string> row_tables::find(const row_table& table, const detail::row_query& query) {
    const auto [clauses, values] = clauses_of(*table.layout, query, '?');
    statement select{db_, fmt::format("SELECT {} FROM {}{}", column_list(*table.layout),
                                      quoted_name(physical_name(table)), clauses)};
    std::vector<std::string> all;
    auto found = select.query_with(to_sql_values(values));
    while (found.next()) all.push_back(to_json(*table.layout, found));
    return all;
}

std::int64_t row_tables::count(const row_table& table, const detail::row_query& query) {
    const auto [conditions, values] = conditions_of(*table.layout, query, '?');
    statement select{db_, fmt::format("SELECT count(*) FROM {}{}", quoted_name(physical_name(table)), conditions)};
    auto found = select.query_with(to_sql_values(values));
    return found.next() ? found.integer(0) : 0;
}

void row_tables::check(const projection_guard& guard) {
    if (!has_generation_.query(guard.name, guard.generation).next()) throw generation_has_changed(guard);
}

void row_tables::write(const row_write& write) {
    if (!(write.row.empty() ? remove(write) : put(write))) throw row_has_changed(write);
}

bool row_tables::put(const row_write& write) {
    auto values = values_of(write);
    if (!write.expected) {
        statement{db_, upsert_sql(write.table)}.run_with(values);
        return true;
    }
    if (*write.expected == 0) return statement{db_, insert_sql(write.table)}.run_with_unless_taken(values);
    values.emplace_back(write.key);
    values.emplace_back(*write.expected);
    return statement{db_, update_sql(write.table)}.run_with(values) == 1;
}

bool row_tables::remove(const row_write& write) {
    const auto& layout = *write.table.layout;
    const std::string from =
        fmt::format("FROM {} WHERE {} = ?1", quoted_name(physical_name(write.table)), quoted_name(layout.key));
    if (!write.expected) {
        statement{db_, "DELETE " + from}.run(write.key);
        return true;
    }
    if (*write.expected == 0) {
        statement select{db_, "SELECT 1 " + from};
        return !select.query(write.key).next();
    }
    return statement{db_, fmt::format("DELETE {} AND {} = ?2", from, row_version_column)}.run(write.key,
                                                                                              *write.expected) == 1;
}

}  // namespace sluice::store::sqlite
