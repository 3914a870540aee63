#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <sluice/time.hpp>

#include "sqlite/statement_cache.hpp"

namespace sluice::sqlite {

class connection;
class rows;

/// Bytes that are no text.
struct blob {
    std::string_view bytes;
};

/// A value whose kind is known at run time only; NULL when it holds nothing.
using any_value = std::variant<std::monostate, std::int64_t, double, std::string>;

/// One prepared statement. It is compiled on first use; its connection keeps it for the next object of the same text,
/// so a statement may be a member that lives as long as its connection, or a temporary where it is used.
///
///     statement known{db, "SELECT id FROM stream WHERE name = ?1"};
///     if (auto found = known.query(name); found.next()) return found.integer(0);
///
/// `run` executes it to the end, `query` hands out the rows; arguments fill the parameters in order, an empty optional
/// is NULL. At most one `rows` of a statement is alive at a time, and not longer than the statement. Failures become
/// what the connection's translation makes of them. Thread safety: that of its connection, which outlives it.
class statement {
public:
    statement(connection& db, std::string_view sql);
    statement(const statement&) = delete;
    statement& operator=(const statement&) = delete;
    ~statement();

    /// Returns the number of rows inserted, changed or deleted.
    template <class... Args>
    std::int64_t run(const Args&... args) {
        bind_all(lifetime::of_the_call, args...);
        execute();
        return changes();
    }

    /// As `run`, but false when a primary key or unique constraint refuses the row.
    template <class... Args>
    [[nodiscard]] bool run_unless_taken(const Args&... args) {
        bind_all(lifetime::of_the_call, args...);
        return execute_unless_taken();
    }

    template <class... Args>
    [[nodiscard]] rows query(const Args&... args) &;

    // The same with a list of values.
    std::int64_t run_with(const std::vector<any_value>& values);
    [[nodiscard]] bool run_with_unless_taken(const std::vector<any_value>& values);
    [[nodiscard]] rows query_with(const std::vector<any_value>& values) &;

private:
    friend class rows;
    friend class transaction;

    /// How long an argument lives: what ends with the call is copied for rows, and need not be for a run.
    enum class lifetime { of_the_call, of_the_rows };

    template <class... Args>
    void bind_all([[maybe_unused]] lifetime needed, const Args&... args) {
        prepare(sizeof...(Args));
        [[maybe_unused]] int index = 0;
        (bind(++index, args, needed), ...);
    }

    template <class T>
    void bind(int index, const std::optional<T>& value, lifetime needed) {
        value ? bind(index, *value, needed) : bind_null(index);
    }
    template <std::integral I>
    void bind(int index, I value, lifetime) {
        bind_integer(index, static_cast<std::int64_t>(value));
    }
    void bind(int index, double value, lifetime);
    void bind(int index, std::string_view value, lifetime needed);
    void bind(int index, blob value, lifetime needed);
    void bind_integer(int index, std::int64_t value);
    void bind_null(int index);

    void bind_list(const std::vector<any_value>& values, lifetime needed);
    void prepare(std::size_t parameters);
    void execute();
    [[nodiscard]] bool execute_unless_taken();
    /// Executes a statement without rows and without parameters. Returns SQLite's answer.
    [[nodiscard]] int attempt();
    [[nodiscard]] std::int64_t changes() const;
    void check(int code) const;

    connection& db_;
    statement_cache::place& place_;
    statement_cache::compiled handle_;
};

/// The rows of one execution. Views and columns refer to the current row. Going out of scope ends the read.
class rows {
public:
    explicit rows(statement& source) noexcept : source_{source} {}
    rows(const rows&) = delete;
    rows& operator=(const rows&) = delete;
    ~rows();

    /// Moves to the next row; false after the last.
    [[nodiscard]] bool next();

    [[nodiscard]] bool null(int column) const;
    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] double real(int column) const;
    [[nodiscard]] std::string_view view(int column) const;
    /// Empty for NULL.
    [[nodiscard]] std::string text(int column) const { return std::string{view(column)}; }
    /// Of a blob.
    [[nodiscard]] std::string_view bytes(int column) const;
    /// Of a time that is kept as text (`time_text.hpp`).
    [[nodiscard]] date_time time(int column) const { return date_time::parse(view(column)); }
    [[nodiscard]] std::optional<date_time> optional_time(int column) const;

private:
    statement& source_;
};

template <class... Args>
rows statement::query(const Args&... args) & {
    bind_all(lifetime::of_the_rows, args...);
    return rows{*this};
}

}  // namespace sluice::sqlite
