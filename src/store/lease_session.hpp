#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/time.hpp>

#include "store/history.hpp"
#include "store/lane_pause.hpp"
#include "store/records.hpp"

namespace sluice::store {

/// Ownership of one lease until `expires_at`. `epoch` grows by one with each new owner and fences the older ones.
///
/// It is the fence, too: what is to be done by the owner only takes the grant, and compares lane, owner and epoch with
/// the lease row in the statement, or the transaction, that does it.
struct lease_grant {
    std::string lane{};
    std::string owner{};
    std::uint64_t epoch = 0;
    date_time expires_at{};
    /// When the lease was to expire before, by the calendar that counts here: a witness of the time for who would
    /// delete by the calendar. Nothing when it is new, or when the database has a clock of its own.
    std::optional<date_time> expired_before{};
    sequence mark = 0;                  ///< low-water mark: every row of the lane up to here is settled
    std::uint64_t rescan = 0;           ///< grows when an operator reopened a row at or below somebody's cursor
    std::vector<std::string> former{};  ///< lanes of other layouts that carried these rows before
    history_stamp history{};            ///< of the database when it was given
    /// What differs from the history that the lane's last owner knew, for people; empty when nothing does.
    std::string other_history{};
    std::size_t reopened = 0;  ///< rows that were open below the stored mark, which has been moved down for them
};

/// What became of the wish to own a lease: the grant, or who is in the way.
class lease_answer {
public:
    lease_answer(lease_grant granted) : grant_{std::move(granted)} {}  // NOLINT(google-explicit-constructor): it is one
    [[nodiscard]] static lease_answer no(std::string obstacle) { return lease_answer{no_grant{}, std::move(obstacle)}; }

    [[nodiscard]] explicit operator bool() const noexcept { return grant_.has_value(); }
    [[nodiscard]] lease_grant& operator*() { return *grant_; }
    [[nodiscard]] const lease_grant& operator*() const { return *grant_; }
    [[nodiscard]] const lease_grant* operator->() const { return &*grant_; }
    /// The lane in the way and its owner, for people; empty when there is a grant.
    [[nodiscard]] const std::string& obstacle() const noexcept { return obstacle_; }

private:
    struct no_grant {};
    lease_answer(no_grant /*tag*/, std::string obstacle) : obstacle_{std::move(obstacle)} {}

    std::optional<lease_grant> grant_{};
    std::string obstacle_{};
};

/// What an owner tells the world about its work; kept in the lease row for `sluice status` and the metrics. One that is
/// no lane works, and has nothing to count.
struct lease_report {
    std::string state = "flowing";  ///< flowing, idle, paused, blocked, draining, lost
    std::string detail{};           ///< last error or reason, one line, no secrets
    std::int64_t published = 0;     ///< rows published by this owner since it took the lease
    std::int64_t refused = 0;
    double rate = 0;    ///< rows per second over the last seconds
    date_time since{};  ///< when the state was entered
    /// Rows that were committed only after the lane had gone past their number, since this owner took the lease.
    std::int64_t overtaken = 0;
};

/// Takes, keeps and gives back leases of one database.
///
/// A session that had to connect again takes nothing for granted. When it meets another history of the database than
/// the one in which a grant was given, or one that lacks what the owner has seen, the grant is over, as if another
/// owner had the lease, and `lost_history` tells why: numbers, marks and gaps of the old history mean nothing in the
/// new one.
///
/// Thread safety: one session belongs to one thread; each has a connection of its own.
class lease_session {
public:
    virtual ~lease_session() = default;

    /// Takes the lease when it is free, expired or already ours (same owner text), no lane of another layout of the
    /// same broker is owned (see lane_layout), and no living heir has been chosen for it. A change of owner increments
    /// the epoch. `ttl` > 0. The grant carries the stored mark and rescan counter. Who takes it stands by no longer.
    /// @param lane  the lease's name. That of a lane is made by make_lane_name, and says also which rows are guarded
    [[nodiscard]] virtual lease_answer acquire(std::string_view lane, std::string_view owner, date_time now,
                                               duration ttl) = 0;
    /// Extends the lease and stores the report. False: another owner has it; `grant` is dead. Of the grant only
    /// `expires_at` changes.
    [[nodiscard]] virtual bool renew(lease_grant& grant, const lease_report& report, date_time now, duration ttl) = 0;
    /// Gives the lease back so that the next owner need not wait. A no-op when it is no longer ours.
    virtual void release(const lease_grant& grant, const lease_report& report) = 0;

    /// Says for as long as `ttl` that the engine stands by for the lane, and can take it over.
    virtual void stand_by(std::string_view lane, std::string_view owner, date_time now, duration ttl) = 0;
    /// It stands by no longer. A no-op when it did not.
    virtual void withdraw(std::string_view lane, std::string_view owner) = 0;
    /// Chooses the engine that is to have the lane instead (see choose_heir in lane_shares.hpp), so that the one who
    /// holds the grant finishes what is in hand and releases it. Until the heir has taken it, or lives no longer,
    /// nobody else does. Who stands by since the last renewal only may be overlooked until the next.
    /// @returns its owner text; empty when the lane is to stay where it is, or the grant is over
    [[nodiscard]] virtual std::string choose_heir(const lease_grant& grant, date_time now, duration ttl) = 0;

    /// Whether an operator has told the lanes of the broker to rest.
    [[nodiscard]] virtual std::optional<lane_pause> pause_of(std::string_view broker) = 0;

    /// Why the last call found its grant to be over, here or at the rows of the same lane_session: the database has
    /// another history. Empty when it was for another reason, and after the next `acquire`.
    [[nodiscard]] virtual std::string lost_history() const { return {}; }
};

}  // namespace sluice::store
