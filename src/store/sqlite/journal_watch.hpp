#pragma once

#include <chrono>

#include "base/wake.hpp"
#include "store/sqlite/connection.hpp"

namespace sluice::store::sqlite {

/// Tells a lane when another connection, of whatever process, committed something it cares about: new events, a retry
/// or discard, a released lease. The settlements of other lanes are not news.
///
/// A write to the `-wal` file is only the hint: the frames are written and synced first and become visible after that,
/// so the database is asked again, at growing intervals, until it shows something new or nothing seems to follow.
///
/// Thread safety: that of the connection. Lifetime: shorter than the connection's.
class journal_watch {
public:
    /// What counts as news: the newest event, reopened or discarded rows, released leases.
    static constexpr auto look_sql =
        "SELECT (SELECT coalesce(max(seq), 0) FROM event_log), (SELECT coalesce(sum(rescan), 0) FROM lease), "
        "(SELECT count(*) FROM lease WHERE owner = '')";

    explicit journal_watch(connection& db);

    /// Remembers what is visible now. Called within the snapshot that the lane reads, so that nothing committed after
    /// it goes unnoticed.
    void seen() { seen_ = look(); }

    /// Sleeps until there is something that the last `seen()` did not see, the signal fires, or the timeout passes.
    [[nodiscard]] base::wake_reason wait(base::wake_signal& signal, duration timeout);

private:
    struct state {
        std::int64_t newest_event = 0;
        std::int64_t rescans = 0;
        std::int64_t released = 0;

        friend bool operator==(const state&, const state&) = default;
    };

    [[nodiscard]] state look();

    base::file_watch watch_;
    statement look_;
    state seen_;
    std::chrono::steady_clock::time_point last_write_ = std::chrono::steady_clock::now();
};

}  // namespace sluice::store::sqlite
