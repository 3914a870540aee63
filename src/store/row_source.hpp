#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <sluice/time.hpp>

#include "base/wake.hpp"
#include "store/backfill.hpp"
#include "store/lease_session.hpp"
#include "store/records.hpp"

namespace sluice::store {

using base::wake_reason;
using base::wake_signal;

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
    /// The broker's backfill that has not ended: nothing above its position was handed out.
    std::optional<backfill_place> backfill{};
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

/// Rows that a lane carries to a broker, and what becomes of them.
///
/// Each call but `wait` takes the grant of a lease of the same database as its fence: it reads, or changes, nothing
/// when the lease has another owner or epoch, and finds that out in the statement, or the transaction, that does the
/// work. Of the grant it also uses the lane's name, the rescan counter and the history; the lane's mark is kept in the
/// lease.
///
/// Thread safety: that of the lease's session, whose connection it shares.
class row_source {
public:
    virtual ~row_source() = default;

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

    /// Gives the lane the next events of the broker's backfill, as rows that `due` finds above the backfill's position
    /// of before, at most `most`, and moves that position; at its end nothing holds the lane back any more. Looks at a
    /// bounded number of events per call. Nothing happens while the backfill is paused, its rate is used up, it waits
    /// for transactions, or very many rows of the broker are open.
    [[nodiscard]] virtual backfill_step give_backfill(const lease_grant& grant, std::string_view target_broker,
                                                      date_time now, std::size_t most) = 0;

    /// Sleeps until `signal` fires, another session commits something a lane cares about (events, a retry, a discard, a
    /// backfill, a released lease) that the last `due`, or the last `acquire` of the same lane_session, did not see, or
    /// `timeout` passes.
    [[nodiscard]] virtual base::wake_reason wait(base::wake_signal& signal, duration timeout) = 0;

    /// Deletes up to `limit` settled rows of this lane: published before `published_before`, abandoned before
    /// `abandoned_before`. Never a row above the lane's mark. What was settled together may go together, once all of it
    /// is old enough and nothing of the broker lies open below, so it may be some more than asked for. Looks at a
    /// bounded number of rows per call and goes on from there in the next. Returns how many it deleted; 0 also when the
    /// lease is lost.
    [[nodiscard]] virtual std::size_t purge(const lease_grant& grant, std::string_view target_broker,
                                            date_time published_before, date_time abandoned_before,
                                            std::size_t limit) = 0;
};

}  // namespace sluice::store
