#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <sluice/error.hpp>
#include <sluice/time.hpp>

struct sqlite3;
struct sqlite3_stmt;

namespace sluice::broker::sqlite {

/// The broker's file cannot be used now. `what()` is one line: file, reason, remedy.
class outage : public broker_error {
public:
    enum class connection_state { usable, suspect };

    outage(const std::string& what, connection_state state)
        : broker_error{what, error_nature::retryable}, state_{state} {}
    /// True when the connection should be closed and opened again.
    [[nodiscard]] bool suspect() const noexcept { return state_ == connection_state::suspect; }

private:
    connection_state state_;
};

/// One open SQLite file with its prepared statements.
///
/// Thread safety: used by one thread at a time. Every failure throws `outage`.
class connection {
public:
    /// Opens the file, or makes it for its owner only.
    /// @param patience   see `be_patient`
    /// @param look_only  a file that cannot be written is read
    connection(const std::filesystem::path& file, duration patience, bool look_only);
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection() = default;

    /// From now on, and all in all, wait so long for other processes' writes.
    void be_patient(duration patience);
    /// Begins the same patience anew.
    void be_patient_again() { be_patient(patience_); }
    [[nodiscard]] bool out_of_patience() const;
    void execute(const char* sql);
    /// Runs several statements, separated by semicolons.
    void execute_script(const char* sql);
    /// Rows that the last statement inserted, changed or removed.
    [[nodiscard]] std::int64_t changes() const;
    [[nodiscard]] std::int64_t last_insert_id() const;
    /// True between BEGIN and its end.
    [[nodiscard]] bool in_transaction() const;
    /// True when the file can only be read.
    [[nodiscard]] bool read_only() const noexcept { return read_only_; }

private:
    friend class query;

    struct close_handle {
        void operator()(sqlite3* handle) const noexcept;
    };
    struct finalize_statement {
        void operator()(sqlite3_stmt* statement) const noexcept;
    };
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    };

    static int wait_for_writer(void* self, int attempt);
    [[nodiscard]] sqlite3_stmt* prepared(std::string_view sql);
    [[noreturn]] void fail(int code) const;

    std::filesystem::path file_;
    bool read_only_;
    duration patience_{};
    std::chrono::steady_clock::time_point patient_until_{};
    std::unique_ptr<sqlite3, close_handle> handle_;
    std::unordered_map<std::string, std::unique_ptr<sqlite3_stmt, finalize_statement>, text_hash, std::equal_to<>>
        statements_;
};

/// One execution of a cached statement. Texts are bound without a copy: they must outlive the execution.
///
///     query q{db, "SELECT id FROM t WHERE name = ?"};
///     q.bind(name);
///     while (q.next()) use(q.integer(0));
class query {
public:
    query(connection& db, std::string_view sql);
    query(const query&) = delete;
    query& operator=(const query&) = delete;
    ~query();

    /// Binds the parameters from the first to the last.
    template <class... Values>
    query& bind(const Values&... values) {
        int index = 0;
        (bind_at(++index, values), ...);
        return *this;
    }
    /// Binds bytes; `bind` binds a string as text.
    query& bind_blob(int index, std::string_view bytes);

    /// True when there is a row. Its texts live until the next call.
    [[nodiscard]] bool next();
    /// Runs a statement that has no rows, or whose rows do not matter.
    void run();
    /// Ends the execution, so that the same object can be bound and run again.
    void reset() noexcept;

    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] std::string_view bytes(int column) const;
    [[nodiscard]] std::string string(int column) const { return std::string{bytes(column)}; }
    [[nodiscard]] bool is_null(int column) const;
    [[nodiscard]] date_time time(int column) const { return date_time::from_micros(integer(column)); }

private:
    void bind_at(int index, std::int64_t value);
    void bind_at(int index, std::string_view text);
    void bind_at(int index, date_time value) { bind_at(index, value.micros()); }
    void check(int code) const;

    connection& db_;
    sqlite3_stmt* statement_;
};

/// A transaction that has the write lock from its beginning, and is rolled back unless committed.
class write_transaction {
public:
    explicit write_transaction(connection& db) : db_{db} { db_.execute("BEGIN IMMEDIATE"); }
    write_transaction(const write_transaction&) = delete;
    write_transaction& operator=(const write_transaction&) = delete;
    ~write_transaction();

    void commit() { db_.execute("COMMIT"); }

private:
    connection& db_;
};

}  // namespace sluice::broker::sqlite
