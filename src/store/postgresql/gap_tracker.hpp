#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "store/records.hpp"

namespace sluice::store::postgresql {

/// The numbers of the event log that a lane has gone past without seeing them. Pure.
///
/// Numbers are drawn when an event is written and seen when its transaction commits, which is not the same order. A
/// number that is missing below a higher one therefore either belongs to a transaction that still runs, or will never
/// appear. It is looked for until it appears, or until every transaction that can have drawn it has ended:
///
/// - a transaction has its own id before it draws a number (`commit_call` sees to that), so an id handed out after
///   the gap was noticed is above the id of any transaction that can fill it. Once no transaction below that id runs,
///   the gap stays empty;
/// - a long transaction that has nothing to do with the log would hold that up. So gaps that last are also judged by
///   who holds the lock that writing to the log takes: when all who held it then have let go, the gap stays empty;
/// - somebody may forget to end a transaction that has written to the log. While it is idle it draws no number. So once
///   it was seen idle, numbers drawn later than that are not its own, and gaps among them do not wait for it.
///
/// What is forgotten with the process is found again: a new owner begins at the stored mark, which never passes a gap.
///
/// Memory: one entry per gap, however wide. `full()` asks the lane to look no further until some are resolved.
///
/// Thread safety: none.
class gap_tracker {
public:
    using time_point = std::chrono::steady_clock::time_point;
    using transaction_id = std::int64_t;

    struct range {
        sequence first = 0;
        sequence last = 0;

        friend bool operator==(const range&, const range&) = default;
    };

    /// A transaction that has written to the log and runs.
    struct writer {
        std::string name{};        ///< of the transaction
        std::string idle_since{};  ///< when it did something last, as the server says it; empty: it is at work
    };

    static constexpr std::size_t most_gaps = 10'000;
    /// How old a gap is, and how long ago the last question, before the holders of the lock are asked for.
    static constexpr auto patience = std::chrono::milliseconds{100};

    /// @param mark  everything up to here is settled or will never appear
    explicit gap_tracker(sequence mark) : high_{mark} {}

    /// The highest number looked at: every number up to here was seen or is missing.
    [[nodiscard]] sequence high() const noexcept { return high_; }
    [[nodiscard]] bool empty() const noexcept { return gaps_.empty(); }
    [[nodiscard]] bool full() const noexcept { return gaps_.size() >= most_gaps; }
    /// The lowest number that may still appear below `high()`.
    [[nodiscard]] std::optional<sequence> horizon() const;
    [[nodiscard]] std::vector<range> gaps() const;

    /// The lowest missing number that the lane should not go past yet, so that it publishes in the order of the
    /// numbers: one that has been missing for less than `wait`; without a `wait`, any that may still appear.
    [[nodiscard]] std::optional<sequence> barrier(std::optional<duration> wait, time_point now) const;

    /// The log was read from `high()` to `upto`, and these numbers were not there.
    void scanned(sequence upto, std::span<const range> missing, time_point now);
    /// The number is there, or was handed out.
    void appeared(sequence number);

    /// Some gap has no upper bound yet for the transactions that can fill it.
    [[nodiscard]] bool wants_bound() const noexcept;
    /// An id that was handed out after all gaps known now were noticed.
    void bound(transaction_id next);
    /// No transaction below `oldest` runs, and the gaps were looked at since. Drops those that stay empty.
    void all_ended_below(transaction_id oldest);

    /// Some gap has lasted long enough to ask for the holders of the lock.
    [[nodiscard]] bool wants_writers(time_point now) const;
    /// Who held the lock, before the gaps were looked at the last time. Drops those that stay empty.
    /// @param drawn  the highest number that was drawn when the writers had been looked at
    void writers(const std::vector<writer>& holding, sequence drawn, time_point now);

private:
    /// The gaps ascend, do not touch, and lie below the highest number: asserted.
    [[nodiscard]] bool is_consistent() const;

    struct gap {
        sequence last = 0;
        time_point since{};
        std::optional<transaction_id> bound{};
        bool watched = false;  ///< only the watched writers can fill it
    };

    std::map<sequence, gap> gaps_;  ///< by first number
    sequence high_;
    /// An idle writer, and the highest number that can be its own while it stays so.
    struct idler {
        std::string since{};
        sequence drawn = 0;
    };
    void note_idle(const std::vector<writer>& holding, sequence drawn);
    [[nodiscard]] bool can_be_filled(sequence first) const;

    std::set<std::string> watched_writers_;
    std::map<std::string, idler> idlers_;
    bool watching_ = false;
    time_point asked_{};
};

}  // namespace sluice::store::postgresql
