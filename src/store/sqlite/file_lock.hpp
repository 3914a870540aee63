#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/unique_fd.hpp"

namespace sluice::store::sqlite {

/// A lock by name among the processes of one machine: one byte of a file beside the database. It goes with the process
/// that holds it. The file is empty, may be removed while nobody uses the database, and belongs in no backup.
///
/// The lock is of this object, not of the process: two objects of one process keep each other out, too.
class file_lock {
public:
    enum class outcome { held, busy, impossible };

    /// Waits at most so long.
    /// @param beside  the database file
    file_lock(const std::filesystem::path& beside, std::string_view key, std::chrono::steady_clock::duration wait);

    /// `impossible`: the file cannot be made or locked, for example because its directory is not writable.
    [[nodiscard]] outcome result() const noexcept { return result_; }

private:
    base::unique_fd file_;
    outcome result_ = outcome::impossible;
};

}  // namespace sluice::store::sqlite
