#include "store/sqlite/statement.hpp"

#include <cassert>

#include "store/sqlite/connection.hpp"

namespace sluice::store::sqlite {

void statement::prepare(std::size_t parameters) {
    if (!handle_) {
        sqlite3_stmt* handle = nullptr;
        check(sqlite3_prepare_v3(db_.handle(), sql_.data(), static_cast<int>(sql_.size()), SQLITE_PREPARE_PERSISTENT,
                                 &handle, nullptr));
        handle_.reset(handle);
    }
    assert(static_cast<std::size_t>(sqlite3_bind_parameter_count(handle_.get())) == parameters);
    static_cast<void>(parameters);
}

void statement::bind(int index, double value, sqlite3_destructor_type) {
    check(sqlite3_bind_double(handle_.get(), index, value));
}

void statement::bind(int index, std::string_view value, sqlite3_destructor_type lifetime) {
    // A null pointer would bind NULL.
    const char* data = value.data() != nullptr ? value.data() : "";
    check(sqlite3_bind_text64(handle_.get(), index, data, value.size(), lifetime, SQLITE_UTF8));
}

void statement::bind_integer(int index, std::int64_t value) { check(sqlite3_bind_int64(handle_.get(), index, value)); }

void statement::bind_null(int index) { check(sqlite3_bind_null(handle_.get(), index)); }

std::int64_t statement::run_with(const std::vector<any_value>& values) {
    bind_list(values, SQLITE_STATIC);
    execute();
    return changes();
}

bool statement::run_with_unless_taken(const std::vector<any_value>& values) {
    bind_list(values, SQLITE_STATIC);
    return execute_unless_taken();
}

rows statement::query_with(const std::vector<any_value>& values) {
    bind_list(values, SQLITE_TRANSIENT);
    return rows{*this};
}

void statement::bind_list(const std::vector<any_value>& values, sqlite3_destructor_type lifetime) {
    prepare(values.size());
    int index = 0;
    for (const auto& value : values) {
        ++index;
        if (const auto* text = std::get_if<std::string>(&value)) {
            bind(index, std::string_view{*text}, lifetime);
        } else if (const auto* whole = std::get_if<std::int64_t>(&value)) {
            bind_integer(index, *whole);
        } else if (const auto* real = std::get_if<double>(&value)) {
            bind(index, *real, lifetime);
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

std::int64_t statement::changes() const { return sqlite3_changes64(db_.handle()); }

void statement::check(int code) const {
    if (code != SQLITE_OK) db_.fail(code);
}

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

std::optional<date_time> rows::optional_time(int column) const {
    if (null(column)) return std::nullopt;
    return time(column);
}

std::string to_sql(date_time time) {
    constexpr std::size_t end_of_seconds = std::string_view{"2026-11-23T07:56:25"}.size();
    auto text = time.to_string();
    if (text.at(end_of_seconds) != '.') text.insert(end_of_seconds, ".000000");
    return text;
}

std::optional<std::string> to_sql(const std::optional<date_time>& time) {
    if (!time) return std::nullopt;
    return to_sql(*time);
}

std::optional<std::string_view> or_null(std::string_view text) {
    if (text.empty()) return std::nullopt;
    return text;
}

}  // namespace sluice::store::sqlite
