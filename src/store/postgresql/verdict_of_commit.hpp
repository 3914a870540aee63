#pragma once

#include <optional>
#include <string>

#include "store/postgresql/connection.hpp"
#include "store/postgresql/gap_tracker.hpp"
#include "store/records.hpp"

namespace sluice::store::postgresql {

/// What is known about a commit whose answer never came.
struct lost_commit {
    std::optional<gap_tracker::transaction_id> transaction{};  ///< when the server was asked, and had told it in time
    int backend = 0;
    std::optional<date_time> backend_start{};  ///< none behind a pooler, whose processes are unknown
    history_stamp server{};                    ///< that was to commit it
};

enum class commit_verdict {
    committed,
    absent,       ///< not there, and it cannot come any more
    in_progress,  ///< not there, and the transaction may still end either way
    unknown
};

/// What can be read back. Pure questions and answers are apart, so that each combination can be tested.
struct commit_evidence {
    std::optional<std::string> transaction_status{};  ///< of pg_xact_status
    bool backend_gone = false;                        ///< the server process that did it has ended
    /// What the batch adds is there; none when it adds nothing whose presence, or absence, would tell.
    std::optional<bool> traces{};
    std::optional<bool> behind{};  ///< what the batch changes is as if the batch had not been committed
    bool standby = false;          ///< the server repeats what another one did, and may lag
    /// How the server differs from the one that was to commit it; empty when it is the same one.
    std::string other_server{};
};

/// Whether what the batch adds tells by itself, once its server process has ended, if the batch was committed. The
/// transaction's id need not be known then.
[[nodiscard]] bool proves_itself(const commit_batch& batch) noexcept;

/// Pure. What the batch itself has left behind is proof wherever it is found. All else counts only from the server that
/// was to commit it: another one, with the same tables and an older or longer history, has given the transaction's
/// number to a stranger, and what it lacks may be in the history that was lost.
[[nodiscard]] commit_verdict judge(const commit_evidence& found) noexcept;

/// Asks the server once.
[[nodiscard]] commit_evidence collect_evidence(connection& db, const std::string& schema, const lost_commit& lost,
                                               const commit_batch& batch);

}  // namespace sluice::store::postgresql
