#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <sluice/json.hpp>

#include "operate/installation.hpp"
#include "operate/open_databases.hpp"
#include "store/operations.hpp"

namespace sluice::operate {

/// What an operator may do with outbox rows.
enum class row_action {
    retry,    ///< gives failed and abandoned rows a full new budget
    discard,  ///< gives up rows that wait: they are not sent
    retire    ///< the same for all rows of a broker that left the configuration
};

[[nodiscard]] const char* to_string(row_action what) noexcept;

/// Rows that a change did not reach, and why.
struct left_rows {
    std::string database;
    std::string broker{};  ///< empty: the database as a whole, an unknown number
    std::size_t count = 0;
    std::string reason;
};

/// What came of a change.
struct rows_outcome {
    std::size_t changed = 0;
    std::vector<left_rows> left{};
};

[[nodiscard]] json::value to_json(const rows_outcome& outcome);

/// A change of outbox rows: which they are is known before anything is done.
///
/// Thread safety: none. Lifetime: the installation must outlive it.
class row_change {
public:
    /// Rows beyond this many are not counted beforehand.
    static constexpr std::size_t most_counted = 10'000;

    /// Counts the rows. A database that is away is left out, unless it is the only one.
    /// @throws request_error  the status that was asked for is not one that the action is about, the message has no
    /// such row,
    ///                  or the broker to retire is still configured or unknown
    /// @throws store_error
    /// @param reason  of a discard, for those who find the rows; empty: that an operator did it
    row_change(const installation& with, row_action what, store::outbox_filter asked, const std::string& reason = {});

    /// More than `most_counted` means: more than these.
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    /// In bounded writes, so that the lanes and the committers get their turns. A database that fails on the way does
    /// not keep the others from theirs.
    [[nodiscard]] rows_outcome apply();

private:
    void open_databases();
    void cancel_backfill(const std::string& database) const;
    void apply_to(const open_database& database, rows_outcome& outcome) const;
    void apply_to_broker(const open_database& database, store::outbox_filter filter, std::size_t& changed) const;
    [[nodiscard]] std::size_t run(store::operations_session& session, const store::outbox_filter& filter) const;

    const installation& with_;
    row_action what_;
    std::string reason_;
    std::vector<store::outbox_filter> filters_;  ///< one for each status
    std::vector<open_database> databases_{};
    std::vector<left_rows> away_{};
    std::size_t count_ = 0;
};

}  // namespace sluice::operate
