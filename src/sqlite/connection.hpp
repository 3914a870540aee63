#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include <sluice/time.hpp>

#include "sqlite/failure.hpp"
#include "sqlite/file_identity.hpp"
#include "sqlite/statement.hpp"
#include "sqlite/statement_cache.hpp"
#include "sqlite/synchronous_mode.hpp"

struct sqlite3;

namespace sluice::sqlite {

struct connection_options {
    std::filesystem::path file;  ///< its directory must exist
    translation translate;
    synchronous_mode synchronous = synchronous_mode::full;
    duration busy_timeout{std::chrono::seconds{5}};  ///< longest wait for the lock of another connection
    bool limit_all_waits = false;                    ///< the busy timeout is for all waits together: `limit_waits`
    std::int64_t journal_bytes_kept = 0;             ///< of the write-ahead log that stays behind after a burst
    bool look_only = false;                          ///< a file that cannot be written is read
};

struct connection_closer {
    bool borrowed = false;
    void operator()(sqlite3* handle) const noexcept;
};

/// One connection to a database file, in WAL mode, waiting for locks up to the busy timeout, with its prepared
/// statements. A file that can only be read is left as it is.
///
/// Every failure becomes the exception that the options' translation makes of it. Values never appear in it.
///
/// Thread safety: used by one thread at a time. Lifetime: outlives its statements and transactions.
class connection {
public:
    enum class open_mode {
        existing,
        create  ///< when there is none, for its owner only
    };

    connection(connection_options options, open_mode mode);
    /// A connection of somebody else's: its settings stay as they are, and it is not closed.
    connection(sqlite3& borrowed, translation translate);
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection() = default;

    [[nodiscard]] sqlite3* handle() const noexcept { return handle_.get(); }
    /// The file itself, symbolic links resolved: its journal lies beside it.
    [[nodiscard]] std::filesystem::path file() const;
    /// The file that was opened; empty for a connection of somebody else's.
    [[nodiscard]] const std::optional<file_identity>& identity() const noexcept { return identity_; }
    /// False when another file has taken the place of the one that was opened, or none has: what is written here now
    /// would be lost with the last connection.
    [[nodiscard]] bool is_in_place() const;
    /// True when the file can only be read.
    [[nodiscard]] bool read_only() const noexcept { return read_only_; }

    [[nodiscard]] duration busy_timeout() const noexcept { return options_.busy_timeout; }
    /// From now on the busy timeout is this one, and for all waits together; without it each wait has its own.
    void limit_waits(duration together);
    /// The same limit, begun anew.
    void limit_waits_anew() { limit_waits(options_.busy_timeout); }

    /// One statement or several, separated by semicolons, whose rows do not matter.
    void execute(const char* sql);
    /// True between a transaction's begin and its end.
    [[nodiscard]] bool in_transaction() const;
    [[nodiscard]] std::int64_t last_insert_id() const;
    /// Grows with each commit of another connection, of whatever process, and not with our own.
    [[nodiscard]] std::int64_t data_version();

private:
    friend class savepoint;
    friend class statement;
    friend class rows;
    friend class transaction;
    using steady = std::chrono::steady_clock;

    enum class outcome { nothing_done, in_doubt };

    void check_place(open_mode mode) const;
    void open(open_mode mode);
    void use_wal();
    [[nodiscard]] steady::time_point end_of_wait() const;
    [[nodiscard]] static int on_busy(void* self, int tries);

    /// @param code  what SQLite answered
    [[noreturn]] void fail(int code, outcome what = outcome::nothing_done) const;
    /// With what SQLite does not know.
    [[noreturn]] void fail(problem what) const;

    connection_options options_;
    std::optional<file_identity> identity_{};
    bool read_only_ = false;
    std::optional<steady::time_point> all_waits_end_{};
    steady::time_point wait_ends_{};
    std::unique_ptr<sqlite3, connection_closer> handle_;
    statement_cache statements_{};
    statement begin_read_{*this, "BEGIN"};
    statement begin_write_{*this, "BEGIN IMMEDIATE"};
    statement commit_{*this, "COMMIT"};
    statement rollback_{*this, "ROLLBACK"};
    statement data_version_{*this, "PRAGMA data_version"};
};

}  // namespace sluice::sqlite
