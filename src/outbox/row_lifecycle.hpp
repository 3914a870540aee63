#pragma once

#include <optional>

#include <sluice/time.hpp>

#include "base/random.hpp"
#include "broker/verdict.hpp"
#include "outbox/retry_schedule.hpp"
#include "store/records.hpp"

namespace sluice::outbox {

/// Decides what happens to one outbox row after the broker's verdict. Pure: no clock, no I/O.
///
/// - delivered: published, with the broker's receipt; the last error is forgotten.
/// - refused: failed until the retry schedule's next time; abandoned when the budget is used up or it was final.
/// - refused because its stream is closed: failed until the next time, at no cost; abandoned after a long time.
/// - unreachable: nothing; an outage costs no row an attempt.
///
/// `last_error` is a JSON object: class (`refused`, `refused_permanently` or `stream_closed`), message, code,
/// first_failed_at, last_failed_at, attempts, closed_since while the stream is closed, and reason once the row is
/// abandoned.
///
/// Thread safety: const members may be called concurrently, with different random sources.
class row_lifecycle {
public:
    explicit row_lifecycle(const retry_schedule& schedule) : schedule_{schedule} {}

    [[nodiscard]] std::optional<store::settlement> after(const broker::verdict& verdict, const store::due_row& row,
                                                         date_time now, base::random_source& random) const;

    /// How long a row that was refused may wait at most for its next time.
    [[nodiscard]] duration longest_wait(const store::due_row& row) const;

private:
    [[nodiscard]] store::settlement after_refusal(const broker::refused& refusal, const store::due_row& row,
                                                  date_time now, base::random_source& random) const;
    [[nodiscard]] store::settlement while_closed(const broker::refused& refusal, const store::due_row& row,
                                                 date_time now, base::random_source& random) const;

    retry_schedule schedule_;
};

}  // namespace sluice::outbox
