#pragma once

namespace sluice::sqlite {

/// Of the SQLite that is loaded: 3040001, and "3.40.1".
[[nodiscard]] int library_version() noexcept;
[[nodiscard]] const char* library_version_text() noexcept;

/// True for versions of SQLite (3040001 for 3.40.1) with the WAL-reset fault: when one connection checkpoints while
/// another commits and resets the journal, in a window of microseconds, a later checkpoint can skip pages, which loses
/// commits or damages the file. Fixed in 3.51.3, 3.50.7 and 3.44.6.
[[nodiscard]] bool has_wal_reset_fault(int version) noexcept;

}  // namespace sluice::sqlite
