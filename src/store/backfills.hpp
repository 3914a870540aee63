#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include <sluice/time.hpp>

#include "store/backfill.hpp"

namespace sluice::store {

/// Orders backfills and looks after them. The lanes carry them out (see row_source::give_backfill).
///
/// Thread safety: one session is used by one thread at a time.
class backfill_session {
public:
    virtual ~backfill_session() = default;

    /// The newest first, at most `limit`.
    /// @param broker  empty: of all
    [[nodiscard]] virtual std::vector<backfill> list(std::string_view broker, std::size_t limit) = 0;
    /// What an order would do now. Walks the log from `order.after` on.
    [[nodiscard]] virtual backfill_count count(const backfill_order& order) = 0;

    /// From now on the broker's lanes hand out nothing above the backfill's position, which begins at `order.after`.
    /// @throws usage_error  another one of this broker has not ended
    virtual backfill begin(const backfill_order& order, date_time now) = 0;
    /// Pauses, resumes or cancels the one of this broker that has not ended.
    /// @param rate  events per second from now on; nothing: as before
    /// @returns it, as it is now; nothing when there is none
    virtual std::optional<backfill> change(std::string_view broker, backfill_state to, std::optional<double> rate,
                                           date_time now) = 0;
};

}  // namespace sluice::store
