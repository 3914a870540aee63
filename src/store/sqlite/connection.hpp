#pragma once

#include <sqlite3.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "store/sqlite/sqlite_database.hpp"
#include "store/sqlite/statement.hpp"

namespace sluice::store::sqlite {

struct connection_closer {
    bool borrowed = false;
    void operator()(sqlite3* handle) const noexcept {
        if (!borrowed) sqlite3_close_v2(handle);
    }
};

/// One connection to the database file, in WAL mode, waiting up to the busy timeout for a lock.
///
/// Errors become `store_error` with the file's name, SQLite's own words and a remedy: an outage when the file cannot be
/// used, retryable when it was busy. Values never appear in them.
///
/// Thread safety: used by one thread at a time. Lifetime: outlives its statements.
class connection {
public:
    enum class open_mode { existing, create };

    connection(const sqlite_options& options, open_mode mode);
    /// A connection of somebody else's: its settings stay as they are, and it is not closed.
    explicit connection(sqlite3& borrowed);
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection() = default;

    [[nodiscard]] sqlite3* handle() const noexcept { return handle_.get(); }
    /// The file itself, symbolic links resolved: its journal lies beside it.
    [[nodiscard]] std::filesystem::path file() const;

    /// Device and number of the file that was opened; empty for a connection of somebody else's.
    [[nodiscard]] const std::string& file_number() const noexcept { return file_number_; }
    /// The same of its directory.
    [[nodiscard]] std::string directory_number() const;
    /// False when another file has taken the place of the one that was opened, or none has: what is written here now
    /// would be lost with the last connection.
    [[nodiscard]] bool is_in_place() const;
    [[nodiscard]] duration busy_timeout() const noexcept { return options_.busy_timeout; }

    void execute(const char* sql);
    /// @param code  what SQLite answered
    [[noreturn]] void fail(int code) const;

private:
    friend class transaction;

    void open(open_mode mode);
    void use_wal();
    [[nodiscard]] static int on_busy(void* self, int tries);

    sqlite_options options_;
    std::string file_number_{};
    bool read_only_ = false;  ///< see sqlite_options::look_only
    std::chrono::steady_clock::time_point give_up_{};
    std::unique_ptr<sqlite3, connection_closer> handle_;
    statement begin_read_{*this, "BEGIN"};
    statement begin_write_{*this, "BEGIN IMMEDIATE"};
    statement commit_{*this, "COMMIT"};
    statement rollback_{*this, "ROLLBACK"};
};

/// A transaction that rolls back unless committed. `write` takes the write lock at once, so it cannot fail half-way for
/// want of it; `read` sees one snapshot.
class transaction {
public:
    enum class kind { read, write };

    transaction(connection& db, kind what);
    transaction(const transaction&) = delete;
    transaction& operator=(const transaction&) = delete;
    ~transaction();

    /// Durable when this returns.
    /// @throws store_error  in doubt when the disk failed while the commit was being written
    void commit();

private:
    connection& db_;
};

}  // namespace sluice::store::sqlite
