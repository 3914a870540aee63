#include "store/postgresql/row_statements.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <sluice/decimal.hpp>
#include <sluice/duration.hpp>
#include <sluice/json.hpp>

#include "base/sha256.hpp"
#include "domain/table_rules.hpp"
#include "store/postgresql/migrations.hpp"
#include "store/row_sql.hpp"

namespace sluice::store::postgresql {
namespace {

using sluice::detail::column_kind;
using sluice::detail::row_version_column;
using sluice::detail::table_layout;

statement named(std::string_view sql, const std::string& schema) {
    constexpr std::size_t digits = 24;
    auto text = in_schema(sql, schema);
    auto name = "sluice_row_" + base::sha256_hex(text).substr(0, digits);
    return {std::move(name), std::move(text)};
}

/// The row as its table takes it: a duration is a number there.
std::string stored_form(const table_layout& layout, const std::string& row) {
    const auto is_duration = [](const auto& column) { return column.kind == column_kind::duration; };
    if (std::none_of(layout.columns.begin(), layout.columns.end(), is_duration)) return row;
    json::value stored = json::parse(row);
    for (const auto& column : layout.columns) {
        json::value* const value = stored.as_object().find(column.name);
        if (!is_duration(column) || value == nullptr || value->is_null()) continue;
        *value = std::int64_t{parse_duration(value->as_string()).count()};
    }
    return json::dump(stored);
}

std::string refused_unless_changed(std::string_view change) {
    return fmt::format(
        "WITH changed AS ({} RETURNING 1) SELECT CASE WHEN NOT EXISTS (SELECT FROM changed)"
        " THEN @sluice_refuse(0) END",
        change);
}

std::string changes_from(const table_layout& layout, std::string_view source) {
    std::string changes;
    for (const auto& column : layout.columns) {
        changes += fmt::format("{0} = {1}.{0}, ", quoted_name(column.name), source);
    }
    return changes;
}

/// $1 the row, $2 its version.
std::string insert_sql(const row_table& table) {
    return fmt::format("INSERT INTO {0} ({1}, {2}) SELECT {1}, $2 FROM json_populate_record(null::{0}, $1::json)",
                       in_sql(table), column_list(*table.layout), row_version_column);
}

std::string or_replace(const row_table& table) {
    return fmt::format(" ON CONFLICT ({}) DO UPDATE SET {}{} = excluded.{}", quoted_name(table.layout->key),
                       changes_from(*table.layout, "excluded"), row_version_column, row_version_column);
}

/// $1 the row, $2 its version, $3 key, $4 the version that it must have.
std::string update_sql(const row_table& table) {
    return refused_unless_changed(fmt::format(
        "UPDATE {0} AS known SET {1}{2} = $2 FROM json_populate_record(null::{0}, $1::json) AS new"
        " WHERE known.{3} = $3 AND known.{2} = $4",
        in_sql(table), changes_from(*table.layout, "new"), row_version_column, quoted_name(table.layout->key)));
}

std::pair<statement, parameters> put_statement(const row_write& write, const std::string& schema) {
    const auto& table = write.table;
    const auto row = stored_form(*table.layout, write.row);
    if (!write.expected) {
        return {named(insert_sql(table) + or_replace(table), schema), parameters{row, write.version}};
    }
    if (*write.expected == 0) return {named(insert_sql(table), schema), parameters{row, write.version}};
    return {named(update_sql(table), schema), parameters{row, write.version, write.key, *write.expected}};
}

std::pair<statement, parameters> remove_statement(const row_write& write, const std::string& schema) {
    const auto that = fmt::format("FROM {} WHERE {} = $1", in_sql(write.table), quoted_name(write.table.layout->key));
    if (!write.expected) return {named("DELETE " + that, schema), parameters{write.key}};
    if (*write.expected == 0) {
        return {named(fmt::format("SELECT CASE WHEN EXISTS (SELECT {}) THEN @sluice_refuse(0) END", that), schema),
                parameters{write.key}};
    }
    return {named(refused_unless_changed(fmt::format("DELETE {} AND {} = $2", that, row_version_column)), schema),
            parameters{write.key, *write.expected}};
}

void add_value(parameters& to, const row_value& value) {
    switch (value.kind) {
        case column_kind::integer:
            return to.add(value.value.as_int());
        case column_kind::real:
            return to.add(value.value.as_double());
        case column_kind::boolean:
            return to.add(value.value.as_bool());
        case column_kind::time:
            return to.add(date_time::parse(value.value.as_string()));
        case column_kind::date:
            return to.add(date::parse(value.value.as_string()));
        case column_kind::decimal:
            return to.add_numeric(
                detail::decimal_text(detail::decimal_units(value.value.as_string(), value.digits), value.digits));
        case column_kind::duration:
            return to.add(std::int64_t{parse_duration(value.value.as_string()).count()});
        default:
            return to.add(value.value.as_string());
    }
}

parameters parameters_of(const std::vector<row_value>& values) {
    parameters all;
    for (const auto& each : values) add_value(all, each);
    return all;
}

void append_value(std::string& out, column_kind kind, const result& found, int row, int column) {
    if (found.null(row, column)) {
        out += "null";
        return;
    }
    switch (kind) {
        case column_kind::text:
            return json::append_string(out, found.view(row, column));
        case column_kind::integer:
            out += std::to_string(found.integer(row, column));
            return;
        case column_kind::real:
            return json::append_double(out, found.real(row, column));
        case column_kind::boolean:
            out += found.boolean(row, column) ? "true" : "false";
            return;
        case column_kind::time:
            return json::append_string(out, found.time(row, column).to_string());
        case column_kind::date:
            return json::append_string(out, found.day(row, column).to_string());
        case column_kind::decimal:
            return json::append_string(out, found.numeric(row, column));
        case column_kind::duration:
            return json::append_string(out, format_duration(duration{found.integer(row, column)}));
        case column_kind::json:
            out += found.view(row, column);
    }
}

}  // namespace

std::string in_sql(const row_table& table) { return "@" + quoted_name(physical_name(table)); }

statement load_statement(const row_table& table, const std::string& schema) {
    // The view has no version, and who reads it wants none.
    return named(fmt::format("SELECT {}, {} FROM {} WHERE {} = $1", column_list(*table.layout),
                             table.generation == 0 ? "0::bigint" : row_version_column, in_sql(table),
                             quoted_name(table.layout->key)),
                 schema);
}

std::pair<statement, parameters> find_statement(const row_table& table, const detail::row_query& query,
                                                const std::string& schema) {
    const auto [clauses, values] = clauses_of(*table.layout, query, '$');
    // Not prepared: it is planned by its values.
    return {
        {"", in_schema(fmt::format("SELECT {} FROM {}{}", column_list(*table.layout), in_sql(table), clauses), schema)},
        parameters_of(values)};
}

std::pair<statement, parameters> count_statement(const row_table& table, const detail::row_query& query,
                                                 const std::string& schema) {
    const auto [conditions, values] = conditions_of(*table.layout, query, '$');
    return {{"", in_schema(fmt::format("SELECT count(*) FROM {}{}", in_sql(table), conditions), schema)},
            parameters_of(values)};
}

std::pair<statement, parameters> write_statement(const row_write& write, const std::string& schema) {
    return write.row.empty() ? remove_statement(write, schema) : put_statement(write, schema);
}

std::vector<std::pair<statement, parameters>> bulk_statements(const std::vector<row_write>& writes,
                                                              const std::string& schema) {
    std::vector<std::pair<statement, parameters>> all;
    if (writes.empty()) return all;
    const row_table& table = writes.front().table;
    std::string rows;
    array<std::string_view> removed;
    bool removes = false;
    for (const auto& write : writes) {
        if (write.row.empty()) {
            removed.push(std::string_view{write.key});
            removes = true;
            continue;
        }
        rows += fmt::format("{}{{\"{}\":{},{}", rows.empty() ? "[" : ",", row_version_column, write.version,
                            stored_form(*table.layout, write.row).substr(1));
    }
    if (!rows.empty()) {
        all.emplace_back(named(fmt::format("INSERT INTO {0} ({1}, {2}) SELECT {1}, {2}"
                                           " FROM json_populate_recordset(null::{0}, $1::json)",
                                           in_sql(table), column_list(*table.layout), row_version_column) +
                                   or_replace(table),
                               schema),
                         parameters{rows + "]"});
    }
    if (removes) {
        all.emplace_back(named(fmt::format("DELETE FROM {} WHERE {} = ANY ($1::text[])", in_sql(table),
                                           quoted_name(table.layout->key)),
                               schema),
                         parameters{removed});
    }
    return all;
}

std::string row_to_json(const table_layout& layout, const result& found, int row) {
    std::string out;
    int index = 0;
    for (const auto& column : layout.columns) {
        out += out.empty() ? '{' : ',';
        json::append_string(out, column.name);
        out += ':';
        append_value(out, column.kind, found, row, index++);
    }
    return out + '}';
}

stored_row read_stored_row(const table_layout& layout, const result& found) {
    return {.row = row_to_json(layout, found, 0), .version = found.integer(0, static_cast<int>(layout.columns.size()))};
}

}  // namespace sluice::store::postgresql
