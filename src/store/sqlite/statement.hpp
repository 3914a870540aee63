#pragma once

#include <sqlite3.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <sluice/time.hpp>

namespace sluice::store::sqlite {

class connection;
class rows;

/// A value whose kind is known at run time only; NULL when it holds nothing.
using any_value = std::variant<std::monostate, std::int64_t, double, std::string>;

/// One prepared statement, compiled on first use and kept for the life of its connection.
///
/// `run` executes it to the end, `query` hands out the rows; arguments fill `?1`, `?2`, … in order, an empty optional
/// is NULL. At most one `rows` of a statement is alive at a time. Thread safety: that of its connection.
class statement {
public:
    statement(connection& db, std::string_view sql) : db_{db}, sql_{sql} {}

    /// Returns the number of rows inserted, changed or deleted.
    template <class... Args>
    std::int64_t run(const Args&... args) {
        bind_all(SQLITE_STATIC, args...);  // nothing outlives this call, so nothing need be copied
        execute();
        return changes();
    }

    /// As `run`, but false when a primary key or unique constraint refuses the row.
    template <class... Args>
    [[nodiscard]] bool run_unless_taken(const Args&... args) {
        bind_all(SQLITE_STATIC, args...);
        return execute_unless_taken();
    }

    template <class... Args>
    [[nodiscard]] rows query(const Args&... args);

    // The same with a list of values.
    std::int64_t run_with(const std::vector<any_value>& values);
    [[nodiscard]] bool run_with_unless_taken(const std::vector<any_value>& values);
    [[nodiscard]] rows query_with(const std::vector<any_value>& values);

private:
    friend class rows;

    struct finalizer {
        void operator()(sqlite3_stmt* handle) const noexcept { sqlite3_finalize(handle); }
    };

    template <class... Args>
    void bind_all([[maybe_unused]] sqlite3_destructor_type lifetime, const Args&... args) {
        prepare(sizeof...(Args));
        [[maybe_unused]] int index = 0;
        (bind(++index, args, lifetime), ...);
    }

    template <class T>
    void bind(int index, const std::optional<T>& value, sqlite3_destructor_type lifetime) {
        value ? bind(index, *value, lifetime) : bind_null(index);
    }
    template <std::integral I>
    void bind(int index, I value, sqlite3_destructor_type) {
        bind_integer(index, static_cast<std::int64_t>(value));
    }
    void bind(int index, double value, sqlite3_destructor_type);
    void bind(int index, std::string_view value, sqlite3_destructor_type lifetime);
    void bind_integer(int index, std::int64_t value);
    void bind_null(int index);

    void bind_list(const std::vector<any_value>& values, sqlite3_destructor_type lifetime);
    void prepare(std::size_t parameters);
    void execute();
    [[nodiscard]] bool execute_unless_taken();
    [[nodiscard]] std::int64_t changes() const;
    void check(int code) const;

    connection& db_;
    std::string sql_;
    std::unique_ptr<sqlite3_stmt, finalizer> handle_;
};

/// The rows of one execution. Views and columns refer to the current row. Going out of scope ends the read.
class rows {
public:
    explicit rows(statement& source) noexcept : source_{source} {}
    rows(const rows&) = delete;
    rows& operator=(const rows&) = delete;
    ~rows() { sqlite3_reset(source_.handle_.get()); }

    /// Moves to the next row; false after the last.
    [[nodiscard]] bool next();

    [[nodiscard]] bool null(int column) const;
    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] double real(int column) const;
    [[nodiscard]] std::string_view view(int column) const;
    /// Empty for NULL.
    [[nodiscard]] std::string text(int column) const { return std::string{view(column)}; }
    [[nodiscard]] date_time time(int column) const { return date_time::parse(view(column)); }
    [[nodiscard]] std::optional<date_time> optional_time(int column) const;

private:
    statement& source_;
};

template <class... Args>
rows statement::query(const Args&... args) {
    bind_all(SQLITE_TRANSIENT, args...);
    return rows{*this};
}

/// Time as the tables hold it: always six digits of fraction, so that the order of the texts is the order of the times.
[[nodiscard]] std::string to_sql(date_time time);
[[nodiscard]] std::optional<std::string> to_sql(const std::optional<date_time>& time);
/// NULL instead of an empty text.
[[nodiscard]] std::optional<std::string_view> or_null(std::string_view text);

}  // namespace sluice::store::sqlite
