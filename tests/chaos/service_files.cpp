#include "service_files.hpp"

#include <memory>

#include <gtest/gtest.h>
#include <sqlite3.h>

namespace sluice::chaos {

std::vector<row> query(const std::filesystem::path& file, const std::string& sql) {
    sqlite3* raw = nullptr;
    EXPECT_EQ(sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK) << file;
    const std::unique_ptr<sqlite3, int (*)(sqlite3*)> db{raw, sqlite3_close};
    sqlite3_busy_timeout(raw, 10'000);
    sqlite3_stmt* prepared = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(raw, sql.c_str(), -1, &prepared, nullptr), SQLITE_OK) << sqlite3_errmsg(raw);
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement{prepared, sqlite3_finalize};
    std::vector<row> rows;
    while (sqlite3_step(prepared) == SQLITE_ROW) {
        row& r = rows.emplace_back();
        for (int i = 0; i < sqlite3_column_count(prepared); ++i) {
            const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(prepared, i));
            r.emplace_back(text != nullptr ? text : "");
        }
    }
    return rows;
}

std::string one_value(const std::filesystem::path& file, const std::string& sql) {
    const auto rows = query(file, sql);
    return rows.empty() ? "" : rows[0][0];
}

bool is_set_up(const std::filesystem::path& file) {
    constexpr auto tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'event_log'";
    return std::filesystem::exists(file) && one_value(file, tables) == "1";
}

bool can_be_written(const std::filesystem::path& file, std::chrono::milliseconds patience) {
    sqlite3* raw = nullptr;
    EXPECT_EQ(sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK) << file;
    const std::unique_ptr<sqlite3, int (*)(sqlite3*)> db{raw, sqlite3_close};
    sqlite3_busy_timeout(raw, static_cast<int>(patience.count()));
    return sqlite3_exec(raw, "BEGIN IMMEDIATE; ROLLBACK", nullptr, nullptr, nullptr) == SQLITE_OK;
}

}  // namespace sluice::chaos
