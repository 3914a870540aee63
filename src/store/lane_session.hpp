#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/wake.hpp"
#include "store/history.hpp"
#include "store/records.hpp"

namespace sluice::store {

using base::wake_reason;
using base::wake_signal;

/// Ownership of one lane until `expires_at`. `epoch` grows by one with each new owner and fences the older ones.
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

/// What became of the wish to own a lane: the grant, or who is in the way.
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

/// What a lane tells the world about itself; kept in its lease row for `sluice status` and the metrics.
struct lane_report {
    std::string state{};         ///< flowing, idle, paused, blocked, draining, lost
    std::string detail{};        ///< last error or reason, one line, no secrets
    std::int64_t published = 0;  ///< rows published by this owner since it took the lease
    std::int64_t refused = 0;
    double rate = 0;    ///< rows per second over the last seconds
    date_time since{};  ///< when the state was entered
    /// Rows that were committed only after the lane had gone past their number, since this owner took the lease.
    std::int64_t overtaken = 0;
};

/// Rows for one turn of a lane.
struct due_batch {
    std::vector<due_row> rows{};  ///< open rows in ascending `seq`
    std::uint64_t rescan = 0;     ///< current rescan counter of the lane
    /// Every row of the lane up to here was looked at, for a lane that passes the rows of others; else 0.
    sequence upto = 0;
    bool more = false;  ///< the look ended before the rows did, though it did not find as many rows as asked for
    bool owned = true;  ///< false: the lease has another epoch, nothing was read
    sequence mark = 0;  ///< the lane's mark in the database; a retry may have moved it back
    /// The lowest number at or below the highest seen that a running transaction may still fill. Its row is handed out
    /// once it appears, and the stored mark stays below it. Only where commits may overlap.
    std::optional<sequence> horizon{};
    std::size_t gaps = 0;  ///< how many such numbers, or ranges of them, there are
    bool crowded = false;  ///< they are so many that the look goes no further until some of them are decided
};

/// How much one read may hand out: so many rows, and so many bytes of data and metadata, but one row in any case.
struct page_size {
    page_size(std::size_t most_rows,  // NOLINT(google-explicit-constructor): mostly only the rows are of interest
              std::size_t most_bytes = std::numeric_limits<std::size_t>::max())
        : rows{most_rows}, bytes{most_bytes} {}

    std::size_t rows;
    std::size_t bytes;
};

/// Counts what a page holds so far.
///
/// Thread safety: none.
class page_meter {
public:
    explicit page_meter(const page_size& most) noexcept : most_{most} {}

    /// Whether one more row of this size may be handed out; it is counted then. After the first no, ask no more.
    [[nodiscard]] bool admits(std::size_t bytes) noexcept {
        if (rows_ > 0 && (rows_ >= most_.rows || bytes_ >= most_.bytes || bytes > most_.bytes - bytes_)) return false;
        ++rows_;
        bytes_ += bytes;
        return true;
    }

    /// Whether rows may have been left out by somebody who counted a few bytes more for each.
    [[nodiscard]] bool may_be_cut() const noexcept {
        constexpr std::size_t slack = 16;
        return most_.bytes - std::min(most_.bytes, bytes_) <= slack * rows_ && rows_ > 0;
    }

private:
    page_size most_;
    std::size_t rows_ = 0;
    std::size_t bytes_ = 0;
};

/// What a row weighs in memory and on its way.
[[nodiscard]] inline std::size_t bytes_of(const due_row& row) noexcept {
    return row.event.data.size() + row.event.metadata.size();
}

enum class settle_outcome { settled, fenced };

/// What a lane needs of a database: its lease, its due rows, and one fenced statement to settle a batch.
///
/// A session that had to connect again takes nothing for granted. When it meets another history of the database than
/// the one in which a grant was given, or one that lacks what the lane has seen, the grant is over, as if another owner
/// had the lease, and `lost_history` tells why: numbers, marks and gaps of the old history mean nothing in the new one.
///
/// Thread safety: one session belongs to one lane's thread; each has a connection of its own.
class lane_session {
public:
    virtual ~lane_session() = default;

    /// Takes the lease when it is free, expired or already ours (same owner text), and no lane of another layout of the
    /// same broker is owned (see lane_layout). A change of owner increments the epoch. `ttl` > 0. The grant carries the
    /// stored mark and rescan counter.
    /// @param lane  as made by make_lane_name: it also says which rows `due` and `purge` are about
    [[nodiscard]] virtual lease_answer acquire(std::string_view lane, std::string_view owner, date_time now,
                                               duration ttl) = 0;
    /// Extends the lease and stores the report. False: another owner has it; `grant` is dead. Of the grant only
    /// `expires_at` changes.
    [[nodiscard]] virtual bool renew(lease_grant& grant, const lane_report& report, date_time now, duration ttl) = 0;
    /// Gives the lease back so that the next owner need not wait. A no-op when it is no longer ours.
    virtual void release(const lease_grant& grant, const lane_report& report) = 0;

    /// Open rows of `target_broker` with `seq > after` that the grant's lane carries, ascending, at most `limit`;
    /// `more` is set when their bytes ended the look. Served by the lane's index at any length of history. Where
    /// commits may overlap, also rows at or below `after` that were committed since the caller went past their number;
    /// no newer row of their stream was handed out before.
    [[nodiscard]] virtual due_batch due(const lease_grant& grant, std::string_view target_broker, sequence after,
                                        const page_size& limit) = 0;
    /// Open rows of one stream with `after < seq <= upto`, ascending: to catch up a stream that was on hold.
    [[nodiscard]] virtual due_batch due_in_stream(const lease_grant& grant, std::string_view target_broker,
                                                  std::string_view stream, sequence after, sequence upto,
                                                  const page_size& limit) = 0;

    /// Writes the outcome of a batch and the new low-water mark in one transaction, only while the epoch is ours.
    /// `mark` never moves backwards here, and is left alone while the lane's stored rescan counter differs from
    /// `grant.rescan`: an operator has reopened rows below it and this lane has not looked again yet. The write is
    /// durable when this returns; the same call may be repeated after an error.
    [[nodiscard]] virtual settle_outcome settle(const lease_grant& grant, std::string_view target_broker,
                                                std::span<const settlement> settlements, sequence mark) = 0;

    /// Sleeps until `signal` fires, another session commits something a lane cares about (events, a retry, a discard, a
    /// released lease) that the last `due` did not see, or `timeout` passes.
    [[nodiscard]] virtual base::wake_reason wait(base::wake_signal& signal, duration timeout) = 0;

    /// Deletes up to `limit` settled rows of this lane: published before `published_before`, abandoned before
    /// `abandoned_before`. Never a row above the lane's mark. Looks at a bounded number of rows per call and goes on
    /// from there in the next. Returns how many it deleted; 0 also when the lease is lost.
    [[nodiscard]] virtual std::size_t purge(const lease_grant& grant, std::string_view target_broker,
                                            date_time published_before, date_time abandoned_before,
                                            std::size_t limit) = 0;

    /// Why the last call found its grant to be over: the database has another history. Empty when it was for another
    /// reason, and after the next `acquire`.
    [[nodiscard]] virtual std::string lost_history() const { return {}; }
};

}  // namespace sluice::store
