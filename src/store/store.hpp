#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/backfills.hpp"
#include "store/history.hpp"
#include "store/kept_messages.hpp"
#include "store/lane_session.hpp"
#include "store/lease_session.hpp"
#include "store/operations.hpp"
#include "store/read_models.hpp"
#include "store/server_state.hpp"
#include "store/unit_session.hpp"

namespace sluice::store {

/// A setting of a database, or a fault of the library that keeps it, under which a promise does not hold.
struct weakness {
    std::string code{};     ///< stable word: DATABASE_WITHOUT_FSYNC
    std::string message{};  ///< which database, what, and what it means
    std::string remedy{};
};

/// One database: a factory of sessions, each with a connection of its own.
///
/// Thread safety: all members may be called concurrently. Sessions must not outlive their store.
class database {
public:
    virtual ~database() = default;

    /// A few words for people: `sqlite shop.db`. Never contains credentials.
    [[nodiscard]] virtual std::string describe() const = 0;

    /// Applies the pending numbered migrations; safe to run twice and from several processes at once.
    virtual void setup() = 0;
    [[nodiscard]] virtual schema_status schema() = 0;
    /// A random id given to the database at setup; part of the producer names that fence a broker (see broker port).
    [[nodiscard]] virtual std::string identity() = 0;
    /// Which history of which database this is. Asks the server each time.
    [[nodiscard]] virtual database_history history() = 0;
    /// Writes down whose events the database holds. A database belongs to one domain, because a lane carries all rows
    /// of its broker.
    /// @throws store_error when another domain has claimed it
    virtual void claim(std::string_view domain) = 0;
    /// Begins a new incarnation: after a restore, or a failover that lost commits. All leases end, their epochs go on
    /// above the incarnation, so that a broker shuts out who published for the lost history; every lane begins again at
    /// its mark, and below it where rows are open there.
    [[nodiscard]] virtual adopted adopt(const adoption& how) = 0;
    /// What an operator must know of this history.
    /// @param most_rows  to look at of each lane, from its mark down, for some that are open there
    [[nodiscard]] virtual std::vector<history_fault> faults(std::size_t most_rows) = 0;

    /// What `check` and every start warn of.
    /// @throws store_error when the database cannot be opened
    [[nodiscard]] virtual std::vector<weakness> weaknesses() = 0;

    /// What its server says of itself at this moment. Nothing where there is none.
    /// @throws store_error when the server cannot be asked
    [[nodiscard]] virtual std::optional<server_state> server() { return std::nullopt; }

    /// @throws store_error when the database cannot be opened; names it and the remedy
    [[nodiscard]] virtual std::unique_ptr<unit_session> open_unit() = 0;
    [[nodiscard]] virtual std::unique_ptr<lease_session> open_lease() = 0;
    /// A lease and the rows of the outbox that it guards.
    [[nodiscard]] virtual lane_session open_lane() = 0;
    [[nodiscard]] virtual std::unique_ptr<operations_session> open_operations() = 0;
    [[nodiscard]] virtual std::unique_ptr<kept_message_session> open_kept_messages() = 0;
    [[nodiscard]] virtual std::unique_ptr<read_model_session> open_read_models() = 0;
    [[nodiscard]] virtual std::unique_ptr<backfill_session> open_backfills() = 0;
};

}  // namespace sluice::store
