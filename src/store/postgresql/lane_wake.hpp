#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/wake.hpp"
#include "store/postgresql/exchange.hpp"
#include "store/postgresql/lane_sql.hpp"
#include "store/row_source.hpp"

namespace sluice::store::postgresql {

/// How a lane sleeps and is woken by other processes.
///
/// Commits that notify are serialised by the server, so a committer notifies only when the lane sleeps. Whether it does
/// is no row in a table but a lock in the server's memory: the sleeper holds it alone, and each committer tries to
/// share it until its transaction has ended. So whoever got it keeps the lane awake until his rows can be seen, and
/// whoever did not get it notifies; no commit falls between the two, nothing is written, and a lane that dies lets go.
///
/// Thread safety: belongs to the lane's thread. Lifetime: shorter than the statements'.
class lane_wake {
public:
    /// What the lane saw when it looked the last time.
    struct view {
        std::string lane{};
        std::string broker{};
        std::string owner{};      ///< of the lease
        std::uint64_t epoch = 0;  ///< of the lease
        std::uint64_t rescan = 0;
        sequence high = 0;        ///< the highest number it looked at
        bool mine = false;        ///< the lease is this lane's; otherwise it stands by
        bool unfinished = false;  ///< there are gaps, or more to read: look again soon, whatever happens
        bool held = false;        ///< rows wait for a transaction that is about to end: look again at once
    };

    lane_wake(const lane_statements& sql, bool listen) : sql_{sql}, listen_{listen} {}

    /// The connection is another one: nothing is held or listened to.
    void disconnected() noexcept;

    /// Adds what makes committers stop notifying, when the lane is awake again. Before the statement that looks: then
    /// nothing is committed unseen in between.
    void get_up(exchange& trip);
    /// The same when the lease is no longer this lane's: its next owner is to sleep under the lock.
    void leave(exchange& trip);
    /// The lane found rows. It is awake, whether or not somebody woke it.
    void found_rows(connection& db);

    [[nodiscard]] wake_reason wait(connection& db, wake_signal& signal, duration timeout, const view& seen);

private:
    enum class rest { news, asleep, restless };

    [[nodiscard]] rest lie_down(connection& db, const view& seen);
    void listen(connection& db, const view& seen);
    [[nodiscard]] static bool has_news(const result& look, const view& seen);
    /// Reads the notifications that have come; true when one of them is for this lane.
    [[nodiscard]] bool was_called(connection& db, const view& seen);
    [[nodiscard]] duration next_pause(const view& seen) noexcept;

    const lane_statements& sql_;
    bool listen_;
    std::string listening_to_;  ///< broker
    std::string holding_;       ///< broker whose lock this session holds; empty while awake
    bool stirred_ = false;      ///< woken, but still holding the lock
    int pauses_ = 0;            ///< short ones in a row
    int naps_ = 0;              ///< in a row
};

}  // namespace sluice::store::postgresql
