#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include <sluice/time.hpp>

namespace sluice::sqlite {

/// When to look for a commit again after the `-wal` file was written. SQLite writes the file first, flushes it, and
/// only then makes the commit visible, of which the file system says nothing: the write is seen too early, and nothing
/// follows. So look soon, then ever more rarely, and rely on the next write once the last one has had ample time.
///
/// Pure. Empty: the last write has settled.
[[nodiscard]] constexpr std::optional<duration> look_again_after(duration since_last_write) {
    constexpr duration soonest{100};
    constexpr duration settled = std::chrono::seconds{2};
    if (since_last_write >= settled) return std::nullopt;
    return std::max(soonest, since_last_write / 2);
}

}  // namespace sluice::sqlite
