#include "store/memory/memory_rows.hpp"

#include <algorithm>
#include <utility>

#include <sluice/error.hpp>
#include <sluice/json.hpp>

#include "store/row_match.hpp"
#include "store/row_refusals.hpp"

namespace sluice::store::memory {
namespace {

using rows = std::map<std::string, stored_row, std::less<>>;

rows& table_of(memory_data& data, const row_table& table) {
    if (rows* found = data.rows_of(table)) return *found;
    throw store_error{"there is no table " + physical_name(table) + "; run `sluice db setup`", error_nature::outage};
}

/// Rows that meet the conditions, by key.
std::vector<std::pair<json::value, const std::string*>> matching(rows& all, const row_table& table,
                                                                 const sluice::detail::row_query& query) {
    std::vector<std::pair<json::value, const std::string*>> found;
    for (const auto& [key, stored] : all) {
        json::value row = json::parse(stored.row);
        const bool fits = std::ranges::all_of(
            query.where, [&](const auto& condition) { return meets(*table.layout, condition, row); });
        if (fits) found.emplace_back(std::move(row), &stored.row);
    }
    return found;
}

}  // namespace

std::optional<stored_row> load_row(memory_data& data, const row_table& table, std::string_view key) {
    const rows& all = table_of(data, table);
    const auto found = all.find(key);
    return found == all.end() ? std::nullopt : std::optional{found->second};
}

std::vector<std::string> select_rows(memory_data& data, const row_table& table,
                                     const sluice::detail::row_query& query) {
    auto found = matching(table_of(data, table), table, query);
    std::ranges::stable_sort(found, [&](const auto& left, const auto& right) {
        return comes_before(*table.layout, query.order, left.first, right.first);
    });
    std::vector<std::string> chosen;
    for (std::size_t i = query.offset; i < found.size() && chosen.size() < query.limit; ++i) {
        chosen.push_back(*found[i].second);
    }
    return chosen;
}

std::int64_t count_rows(memory_data& data, const row_table& table, const sluice::detail::row_query& query) {
    return static_cast<std::int64_t>(matching(table_of(data, table), table, query).size());
}

void check_guard(const memory_data& data, const projection_guard& guard) {
    const auto found = data.read_models.find(guard.name);
    if (found != data.read_models.end() && found->second.status.generation == guard.generation) return;
    throw generation_has_changed(guard);
}

void check_row(memory_data& data, const row_write& write) {
    const rows& all = table_of(data, write.table);
    if (!write.expected) return;
    const auto found = all.find(write.key);
    const std::int64_t version = found == all.end() ? 0 : found->second.version;
    if (version != *write.expected) throw row_has_changed(write);
}

void write_row(memory_data& data, const row_write& write) {
    rows& all = table_of(data, write.table);
    if (write.row.empty()) {
        all.erase(write.key);
    } else {
        all.insert_or_assign(write.key, stored_row{.row = write.row, .version = write.version});
    }
}

}  // namespace sluice::store::memory
