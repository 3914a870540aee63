#include "domain/table_rules.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "base/names.hpp"
#include "base/sha256.hpp"

namespace sluice::detail {

namespace {

/// Tables of Sluice's own, which may lie beside those of read models.
constexpr std::array<std::string_view, 16> taken{
    "event_log",       "outbox",          "outbox_row", "outbox_ledger", "outbox_ledger_part", "outbox_broker",
    "outbox_backfill", "lease",           "stand_by",   "inbox",         "kept_message",       "aggregate_state",
    "snapshot",        "command_outcome", "scheduled",  "projection"};
constexpr std::array<std::string_view, 4> taken_prefixes{"sluice_", "broker_", "sqlite_", "pg_"};

/// A name that PostgreSQL would cut is no longer the same name.
constexpr std::size_t longest_column_name = 63;

bool is_table_name(std::string_view name) {
    const auto fits = [](char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return !name.empty() && name.size() <= longest_table_name && std::ranges::all_of(name, fits) &&
           !(name.front() >= '0' && name.front() <= '9') && name.find("__") == std::string_view::npos;
}

bool is_taken(std::string_view name) {
    return std::ranges::find(taken, name) != taken.end() ||
           std::ranges::any_of(taken_prefixes, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

void check_columns(const table_layout& table, std::vector<std::string>& problems) {
    std::set<std::string> seen;
    for (const table_column& column : table.columns) {
        const std::string what = "column `" + column.name + "` of read model `" + table.name + "`";
        if (column.name.size() > longest_column_name) {
            problems.push_back(what + " has a name of more than 63 bytes; shorten the member's");
        }
        if (base::lower(column.name) == row_version_column) {
            problems.push_back(what + " has the name of Sluice's own column; give the member another");
        }
        if (!seen.insert(base::lower(column.name)).second) {
            problems.push_back(what +
                               " differs from another only in upper and lower case, which SQLite does not tell "
                               "apart; rename one of the members");
        }
    }
}

void check_indexes(const table_layout& table, std::vector<std::string>& problems) {
    for (const auto& index : table.indexes) {
        if (index.empty())
            problems.push_back("read model `" + table.name + "` has an index without columns; name some");
        for (const std::string& name : index) {
            const table_column* column = table.find(name);
            if (column == nullptr) {
                problems.push_back("an index of read model `" + table.name + "` names column `" + name +
                                   "`, which is no member of its struct");
            } else if (column->kind == column_kind::json) {
                problems.push_back("an index of read model `" + table.name + "` names column `" + name +
                                   "`, which holds JSON; index a member of its own");
            }
        }
    }
}

column_kind kind_of_column(value_kind kind) {
    switch (kind) {
        case value_kind::text:
        case value_kind::identifier:
        case value_kind::word:
        case value_kind::uuid:
            return column_kind::text;
        case value_kind::integer:
        case value_kind::unsigned_integer:
            return column_kind::integer;
        case value_kind::number:
            return column_kind::real;
        case value_kind::boolean:
            return column_kind::boolean;
        case value_kind::time:
            return column_kind::time;
        case value_kind::date:
            return column_kind::date;
        case value_kind::decimal:
            return column_kind::decimal;
        case value_kind::duration:
            return column_kind::duration;
        case value_kind::json:
        case value_kind::json_object:
        case value_kind::list:
        case value_kind::map:
        case value_kind::structure:
            break;
    }
    return column_kind::json;
}

std::string layout_word(const table_column& column) {
    constexpr std::array<const char*, 9> words{"text", "integer", "real",    "boolean", "time",
                                               "json", "date",    "decimal", "duration"};
    const std::string word = words.at(static_cast<std::size_t>(column.kind));
    return column.kind == column_kind::decimal ? word + std::to_string(column.digits) : word;
}

}  // namespace

void add_columns(table_layout& table, const field_tree& row) {
    for (const auto& [name, type, has_initialiser] : row.members) {
        table.columns.push_back({std::string{name}, kind_of_column(type->kind), type->optional, type->digits});
        if (table.key.empty() && type->kind == value_kind::identifier && !type->optional) table.key = name;
    }
}

std::vector<std::string> problems_of(const table_layout& table) {
    std::vector<std::string> problems;
    if (!is_table_name(table.name)) {
        problems.push_back("read model name `" + table.name +
                           "` is not usable: lower-case letters, digits and single underscores, at most 40, no digit "
                           "first; set .name in its contract");
    } else if (is_taken(table.name)) {
        problems.push_back("read model name `" + table.name +
                           "` belongs to a table of Sluice's or of the database's own; set another .name in its "
                           "contract");
    }
    check_columns(table, problems);
    check_indexes(table, problems);
    return problems;
}

std::string fingerprint_of(const table_layout& table) {
    constexpr std::size_t digits = 16;
    std::string text = table.name + "\n" + table.key + "\n" + std::to_string(table.version);
    for (const table_column& column : table.columns) {
        text += "\n" + column.name + " " + layout_word(column) + (column.optional ? " optional" : "");
    }
    return base::sha256_hex(text).substr(0, digits);
}

}  // namespace sluice::detail
