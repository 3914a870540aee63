#pragma once

#include <cstdint>

#include "base/wake.hpp"
#include "sqlite/commit_watch.hpp"
#include "store/sqlite/driver.hpp"

namespace sluice::store::sqlite {

/// Tells a lane when another connection, of whatever process, committed something it cares about: new events, a retry
/// or discard, a released lease. The settlements of other lanes are not news.
///
/// Thread safety: that of the connection. Lifetime: shorter than the connection's.
class lane_news {
public:
    /// What counts as news: the newest event, reopened or discarded rows, released leases.
    static constexpr auto look_sql =
        "SELECT (SELECT coalesce(max(seq), 0) FROM event_log), (SELECT coalesce(sum(rescan), 0) FROM lease), "
        "(SELECT count(*) FROM lease WHERE owner = '')";

    explicit lane_news(connection& db) : commits_{db}, look_{db, look_sql}, seen_{look()} {}

    /// Remembers what is visible now. Called within the snapshot that the lane reads, so that nothing committed after
    /// it goes unnoticed.
    void seen() { seen_ = look(); }

    /// Sleeps until there is something that the last `seen()` did not see, the signal fires, or the timeout passes.
    [[nodiscard]] base::wake_reason wait(base::wake_signal& signal, duration timeout) {
        return commits_.wait(signal, timeout, [this] { return look() != seen_; });
    }

private:
    struct state {
        std::int64_t newest_event = 0;
        std::int64_t rescans = 0;
        std::int64_t released = 0;

        friend bool operator==(const state&, const state&) = default;
    };

    [[nodiscard]] state look();

    sluice::sqlite::commit_watch commits_;
    statement look_;
    state seen_;
};

}  // namespace sluice::store::sqlite
