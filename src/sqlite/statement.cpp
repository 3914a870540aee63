#include "sqlite/statement.hpp"

#include <sqlite3.h>

#include <cassert>
#include <utility>

#include "sqlite/connection.hpp"

namespace sluice::sqlite {
namespace {

/// A null pointer would bind NULL.
const char* data_of(std::string_view value) { return value.data() != nullptr ? value.data() : ""; }

}  // namespace

statement::statement(connection& db, std::string_view sql)
    : db_{db}, place_{db.statements_.take(sql)}, handle_{std::move(place_.second.idle)} {}

statement::~statement() { statement_cache::give_back(place_, std::move(handle_)); }

void statement::prepare([[maybe_unused]] std::size_t parameters) {
    if (!handle_) {
        const auto& sql = place_.first;
        sqlite3_stmt* handle = nullptr;
        check(sqlite3_prepare_v3(db_.handle(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                 &handle, nullptr));
        handle_.reset(handle);
    }
    assert(static_cast<std::size_t>(sqlite3_bind_parameter_count(handle_.get())) == parameters);
}

void statement::bind(int index, double value, lifetime) { check(sqlite3_bind_double(handle_.get(), index, value)); }

void statement::bind(int index, std::string_view value, lifetime needed) {
    const auto copied = needed == lifetime::of_the_rows ? SQLITE_TRANSIENT : SQLITE_STATIC;
    check(sqlite3_bind_text64(handle_.get(), index, data_of(value), value.size(), copied, SQLITE_UTF8));
}

void statement::bind(int index, blob value, lifetime needed) {
    const auto copied = needed == lifetime::of_the_rows ? SQLITE_TRANSIENT : SQLITE_STATIC;
    check(sqlite3_bind_blob64(handle_.get(), index, data_of(value.bytes), value.bytes.size(), copied));
}

void statement::bind_integer(int index, std::int64_t value) { check(sqlite3_bind_int64(handle_.get(), index, value)); }

void statement::bind_null(int index) { check(sqlite3_bind_null(handle_.get(), index)); }

std::int64_t statement::run_with(const std::vector<any_value>& values) {
    bind_list(values, lifetime::of_the_call);
    execute();
    return changes();
}

bool statement::run_with_unless_taken(const std::vector<any_value>& values) {
    bind_list(values, lifetime::of_the_call);
    return execute_unless_taken();
}

rows statement::query_with(const std::vector<any_value>& values) & {
    bind_list(values, lifetime::of_the_rows);
    return rows{*this};
}

void statement::bind_list(const std::vector<any_value>& values, lifetime needed) {
    prepare(values.size());
    int index = 0;
    for (const auto& value : values) {
        ++index;
        if (const auto* text = std::get_if<std::string>(&value)) {
            bind(index, std::string_view{*text}, needed);
        } else if (const auto* whole = std::get_if<std::int64_t>(&value)) {
            bind_integer(index, *whole);
        } else if (const auto* real = std::get_if<double>(&value)) {
            bind(index, *real, needed);
        } else {
            bind_null(index);
        }
    }
}

void statement::execute() {
    rows result{*this};
    while (result.next()) {
    }
}

bool statement::execute_unless_taken() {
    const int code = sqlite3_step(handle_.get());
    sqlite3_reset(handle_.get());
    if (code == SQLITE_CONSTRAINT_PRIMARYKEY || code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_ROWID) {
        return false;
    }
    if (code != SQLITE_DONE) db_.fail(code);
    return true;
}

int statement::attempt() {
    prepare(0);
    const int code = sqlite3_step(handle_.get());
    sqlite3_reset(handle_.get());
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

std::int64_t statement::changes() const { return sqlite3_changes64(db_.handle()); }

void statement::check(int code) const {
    if (code != SQLITE_OK) db_.fail(code);
}

rows::~rows() { sqlite3_reset(source_.handle_.get()); }

bool rows::next() {
    const int code = sqlite3_step(source_.handle_.get());
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) source_.db_.fail(code);
    return false;
}

bool rows::null(int column) const { return sqlite3_column_type(source_.handle_.get(), column) == SQLITE_NULL; }

std::int64_t rows::integer(int column) const { return sqlite3_column_int64(source_.handle_.get(), column); }

double rows::real(int column) const { return sqlite3_column_double(source_.handle_.get(), column); }

std::string_view rows::view(int column) const {
    const auto* text = sqlite3_column_text(source_.handle_.get(), column);
    if (text == nullptr) return {};
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(source_.handle_.get(), column));
    return {reinterpret_cast<const char*>(text), size};
}

std::string_view rows::bytes(int column) const {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(source_.handle_.get(), column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(source_.handle_.get(), column))};
}

std::optional<date_time> rows::optional_time(int column) const {
    if (null(column)) return std::nullopt;
    return time(column);
}

}  // namespace sluice::sqlite
