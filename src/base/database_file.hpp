#pragma once

#include <filesystem>
#include <string>

/// Files of embedded databases and brokers, before SQLite opens them.
namespace sluice::base {

/// Makes the empty file when it is not there, readable and writable for its owner only, whatever the umask allows.
/// Files that SQLite puts beside it get the same rights. Leaves a file that exists alone, and errors to whoever opens
/// it.
///
/// No descriptor is opened: closing one would take away the locks that other connections of this process have on the
/// file.
void make_private_file(const std::filesystem::path& file) noexcept;

/// True when this process may read the file but cannot write it, or nothing beside it: a backup, a read-only mount.
[[nodiscard]] bool is_write_protected(const std::filesystem::path& file) noexcept;

/// The URI by which SQLite reads such a file. Without a write-ahead log beside it nobody is changing it, so that SQLite
/// may do without locks and without files of its own.
[[nodiscard]] std::string read_only_uri(const std::filesystem::path& file);

/// `file` with the endings that SQLite gives to what belongs to it.
[[nodiscard]] std::filesystem::path write_ahead_log_of(const std::filesystem::path& file);
[[nodiscard]] std::filesystem::path shared_memory_of(const std::filesystem::path& file);

}  // namespace sluice::base
