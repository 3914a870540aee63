#pragma once

#include <chrono>
#include <functional>

#include <sluice/time.hpp>

#include "base/wake.hpp"
#include "sqlite/connection.hpp"

namespace sluice::sqlite {

/// Sleeps until another connection, of this or of any process, has committed something new to a file.
///
/// A write to the `-wal` file is only the hint: the frames are written and synced first and become visible after that,
/// so the database is asked again, at growing intervals, until it shows something new or nothing seems to follow. Where
/// the kernel grants no watch, it is asked every 20 ms.
///
/// Thread safety: used by one thread at a time.
class commit_watch {
public:
    /// @param db  to the file whose commits are waited for; not kept
    explicit commit_watch(const connection& db);

    /// Until there is news, the signal fires, or the timeout passes.
    /// @param has_news  whether a commit shows that the caller has not seen; asked before each sleep
    [[nodiscard]] base::wake_reason wait(base::wake_signal& signal, duration timeout,
                                         const std::function<bool()>& has_news);

private:
    using steady = std::chrono::steady_clock;

    [[nodiscard]] duration nap(duration left) const;

    base::file_watch wal_;
    steady::time_point last_write_ = steady::now();
};

}  // namespace sluice::sqlite
