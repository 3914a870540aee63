#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "store/history.hpp"
#include "store/lease_session.hpp"
#include "store/postgresql/connection_pool.hpp"
#include "store/postgresql/exchange.hpp"
#include "store/postgresql/gap_tracker.hpp"
#include "store/postgresql/lane_sql.hpp"
#include "store/postgresql/lane_wake.hpp"
#include "store/postgresql/sessions.hpp"

namespace sluice::store::postgresql {

/// The connection that a lease and the rows that it guards share, with what both must know of it: the history that it
/// leads to, what the lane saw last, and the mark that goes into the lease with the next statement.
///
/// Thread safety: belongs to the thread of its sessions. Lifetime: the shared state outlives it.
class lane_link {
public:
    /// @throws store_error  the server cannot be reached, or is a standby
    explicit lane_link(shared_state& of_database) : shared{of_database} { static_cast<void>(db()); }
    lane_link(const lane_link&) = delete;
    lane_link& operator=(const lane_link&) = delete;

    /// The connection, made again when it broke.
    [[nodiscard]] connection& db();
    /// The connection, when it leads to the history of the grant; else null, and `lost_history` tells what differs.
    [[nodiscard]] connection* db_of(const lease_grant& grant);

    /// Behind a pooler each transaction may reach another server: it does nothing on one with another timeline.
    void guard_timeline(exchange& trip, const connection& server, const lease_grant& grant) const;
    /// Runs it; false when the guard has found another timeline.
    [[nodiscard]] bool run_guarded(exchange& trip, const connection& server, const lease_grant& grant);

    [[nodiscard]] gap_tracker& gaps_of(const lease_grant& grant);

    /// The mark that `raise_mark` is to write. It never passes a number that may still appear: after a crash the lane
    /// begins right behind it.
    void raise_mark_later(const lease_grant& grant, sequence mark);
    /// @param at_once  even when one was written a moment ago
    void raise_mark(exchange& trip, const lease_grant& grant, bool at_once);
    [[nodiscard]] bool has_unwritten_mark() const noexcept { return unwritten_mark_ != 0; }
    /// The mark that counts for the lane: the stored one, or a later one that is not written yet.
    [[nodiscard]] sequence mark_of(const lease_grant& grant, sequence stored, std::uint64_t stored_rescan) const;

    /// The lease is ours, in the history that the connection leads to.
    void begin(const lease_grant& grant);
    [[nodiscard]] bool is_compared(const std::string& lane) const { return same_history_.contains(lane); }
    /// What a grant was given for; the caller may learn more of it than the connection tells.
    [[nodiscard]] history_stamp& stamp() noexcept { return stamp_; }
    [[nodiscard]] const std::string& lost_history() const noexcept { return lost_history_; }
    /// The same, once.
    [[nodiscard]] std::string take_lost_history() { return std::exchange(lost_history_, {}); }

    shared_state& shared;
    const lane_statements sql{shared.options.schema};
    lane_wake wake{sql, shared.options.listen_notify};
    lane_wake::view seen{};
    std::string unwanted{};  ///< the lane for which nobody stood by when it was renewed

private:
    using steady = std::chrono::steady_clock;

    [[nodiscard]] std::string missing_witness(connection& server, const lease_grant& grant);

    std::optional<connection_pool::lease> db_;
    history_stamp stamp_;                              ///< of the connection
    std::set<std::string, std::less<>> same_history_;  ///< lanes whose grant was compared with it
    std::string lost_history_;
    sequence unwritten_mark_ = 0;  ///< 0: it is in the database
    std::uint64_t unwritten_rescan_ = 0;
    steady::time_point mark_written_{};
};

}  // namespace sluice::store::postgresql
