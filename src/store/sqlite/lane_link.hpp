#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "store/history.hpp"
#include "store/lane_layout.hpp"
#include "store/lease_session.hpp"
#include "store/sqlite/driver.hpp"
#include "store/sqlite/lane_news.hpp"

namespace sluice::store::sqlite {

/// The connection that a lease and the rows that it guards share, with what both must know of it: the history that it
/// leads to, and what the lane saw last.
///
/// Thread safety: belongs to the thread of its sessions.
class lane_link {
public:
    explicit lane_link(std::unique_ptr<connection> db);

    [[nodiscard]] connection& db() noexcept { return *db_; }

    [[nodiscard]] std::optional<lease_row> read_lease(std::string_view lane);
    /// The lease's row while it is the grant's, in the history in which it was given; else empty. Called within the
    /// transaction that reads or writes what the lease guards.
    [[nodiscard]] std::optional<lease_row> owned(const lease_grant& grant);
    /// False when the grant was given for another file or incarnation; then `lost_history` tells.
    [[nodiscard]] bool is_same_history(const lease_grant& grant);

    /// Asks again which history this is. To be called within the transaction that takes a lease.
    [[nodiscard]] const history_stamp& look_at_history();
    /// The lease was given in the history that was looked at last.
    void trust(const std::string& lane) { same_history_.insert(lane); }
    [[nodiscard]] const std::string& lost_history() const noexcept { return lost_history_; }
    /// The same, once.
    [[nodiscard]] std::string take_lost_history() { return std::exchange(lost_history_, {}); }

    /// For a lane that sleeps until there is news. A lease without rows watches nothing.
    [[nodiscard]] lane_news& watch_news();
    /// The news so far is known. Called within the snapshot, or the transaction, that reads.
    void seen() {
        if (news_) news_->seen();
    }

private:
    std::unique_ptr<connection> db_;
    history_stamp stamp_;
    std::set<std::string, std::less<>> same_history_;  ///< lanes whose grant was compared
    std::string lost_history_;
    std::optional<lane_news> news_{};
    statement read_lease_{*db_,
                          "SELECT lane, owner, epoch, expires_at, mark, rescan, former FROM lease WHERE lane = ?1"};
};

[[nodiscard]] lease_row read_lease_row(const rows& found);

}  // namespace sluice::store::sqlite
