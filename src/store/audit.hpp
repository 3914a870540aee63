#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "store/records.hpp"

namespace sluice::store {

/// What the log, the ledger and the rows say of a run of events at one broker, in one snapshot. Numbers ascend.
struct audit_page {
    struct row {
        sequence seq = 0;
        row_status status = row_status::pending;
    };

    sequence end = 0;                ///< the last number of the log
    sequence mark = 0;               ///< up to here every event is settled, say the broker's lanes
    sequence floor = 0;              ///< up to here an event without record or row has been purged
    std::vector<sequence> chosen{};  ///< events that are meant for the broker, by the log or by a row
    std::vector<sequence> listed{};  ///< by the ledger; a number twice when two records list it
    std::vector<row> rows{};
};

/// What does not add up.
struct audit_fault {
    enum class kind {
        missing,      ///< at or below the mark, and neither confirmed nor parked nor waiting: no lane looks there again
        doubled,      ///< the ledger lists it twice, or lists it although it has a row
        stray,        ///< the ledger lists it, and the log knows no such event for this broker
        out_of_order  ///< at the broker, behind a later event of its stream
    };

    kind what = kind::missing;
    sequence seq = 0;
};

/// `missing`, `doubled`, `stray`, `out of order`.
[[nodiscard]] const char* to_string(audit_fault::kind what) noexcept;

/// The sum over all events of one broker: committed = confirmed + waiting + parked + purged, or something is missing.
struct audit_sum {
    /// So many faults are named; all are counted.
    static constexpr std::size_t most_named = 100;

    std::int64_t committed = 0;
    std::int64_t confirmed = 0;  ///< taken by the broker
    std::int64_t waiting = 0;    ///< to be sent, for the first time or again
    std::int64_t parked = 0;     ///< given up or discarded
    std::int64_t purged = 0;     ///< settled, and gone after the retention time
    std::int64_t missing = 0;
    std::int64_t doubled = 0;
    std::int64_t stray = 0;
    std::vector<audit_fault> faults{};
    std::optional<sequence> first_missing{};

    [[nodiscard]] bool closes() const noexcept { return missing == 0 && doubled == 0 && stray == 0; }
    /// Adds a run of events. Pure.
    void add(const audit_page& page);

private:
    void add_event(sequence seq, row_status status, sequence mark);
    void note(audit_fault::kind what, sequence seq);
};

}  // namespace sluice::store
