#pragma once

#include <chrono>
#include <filesystem>
#include <memory>

#include "store/store.hpp"

namespace sluice::store {

/// How hard a commit is pressed onto the disk.
enum class sqlite_synchronous {
    full,   ///< a commit survives a power cut
    normal  ///< a commit survives a crash of the process; a power cut may take the last ones, never tear one
};

struct sqlite_options {
    std::filesystem::path path;  ///< of the database file; its directory must exist
    sqlite_synchronous synchronous = sqlite_synchronous::full;
    duration busy_timeout{std::chrono::seconds{5}};  ///< longest wait for another connection's write lock
    /// For people who look: a file that cannot be written (a backup, a read-only mount) is read. A server must not read
    /// a file that it could not write for a moment as if nobody changed it.
    bool look_only = false;
};

/// True for versions of SQLite (3040001 for 3.40.1) with the WAL-reset fault: when one connection checkpoints while
/// another commits and resets the journal, in a window of microseconds, a later checkpoint can skip pages, which loses
/// commits or damages the file. Fixed in 3.51.3, 3.50.7 and 3.44.6.
[[nodiscard]] bool has_wal_reset_fault(int version) noexcept;

/// A database in one SQLite file, in WAL mode, shared by any number of threads and processes of one machine.
/// Nothing is opened before it is used; `setup()` creates the file, for its owner only.
///
/// @throws configuration_error  no path, or one that names a private in-memory database
[[nodiscard]] std::unique_ptr<database> make_sqlite_database(sqlite_options options);

}  // namespace sluice::store
