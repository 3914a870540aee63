#pragma once

#include <exception>
#include <filesystem>
#include <string>

#include <sluice/time.hpp>

namespace sluice::sqlite {

/// Why SQLite did not do what it was asked for, by what can be done about it.
enum class problem {
    no_directory,   ///< of the file
    no_file,        ///< and none was to be made
    replaced,       ///< another file has taken the place of the one that was opened, or none has
    no_wal,         ///< the file system does not allow a write-ahead log
    busy,           ///< another connection kept its lock for longer than ours is patient
    old_snapshot,   ///< another connection has written what this transaction has read before
    full,           ///< the disk
    read_only,      ///< the file, or its directory
    cannot_open,    ///< also: this process has no descriptor left
    not_permitted,  ///< by the system, for example a file larger than it supports
    no_database,    ///< the file is something else
    damaged,
    disk,           ///< it cannot be read or written
    passing,        ///< no memory, interrupted, another process has changed the schema
    no_such_table,  ///< or no such column
    other
};

/// @param code  what SQLite answered, extended or not
[[nodiscard]] problem problem_of(int code) noexcept;

/// What a connection knows when something fails. Values that were bound never appear in it.
struct failure {
    problem what = problem::other;
    int code = 0;       ///< SQLite's extended result code; 0 when the connection found the problem by itself
    std::string words;  ///< SQLite's own
    std::filesystem::path file;
    duration patience{};    ///< how long a lock was waited for
    bool in_doubt = false;  ///< the disk failed within a commit: whether it took effect is unknown
};

/// Makes the exception of whoever uses the connection, in that room's words. Every failure of a connection, of its
/// statements and of its transactions becomes one.
using translation = std::exception_ptr (*)(const failure&);

}  // namespace sluice::sqlite
