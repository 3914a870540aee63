#pragma once

#include <chrono>
#include <filesystem>
#include <memory>

#include "sqlite/synchronous_mode.hpp"
#include "store/store.hpp"

namespace sluice::store {

using sqlite_synchronous = sluice::sqlite::synchronous_mode;

struct sqlite_options {
    std::filesystem::path path;  ///< of the database file; its directory must exist
    sqlite_synchronous synchronous = sqlite_synchronous::full;
    duration busy_timeout{std::chrono::seconds{5}};  ///< longest wait for another connection's write lock
    /// For people who look: a file that cannot be written (a backup, a read-only mount) is read. A server must not read
    /// a file that it could not write for a moment as if nobody changed it.
    bool look_only = false;
};

/// A database in one SQLite file, in WAL mode, shared by any number of threads and processes of one machine.
/// Nothing is opened before it is used; `setup()` creates the file, for its owner only.
///
/// @throws configuration_error  no path, or one that names a private in-memory database
[[nodiscard]] std::unique_ptr<database> make_sqlite_database(sqlite_options options);

}  // namespace sluice::store
