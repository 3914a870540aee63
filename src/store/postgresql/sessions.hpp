#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "base/keyed_locks.hpp"
#include "store/postgresql/broker_numbers.hpp"
#include "store/postgresql/connection_pool.hpp"
#include "store/postgresql/gap_tracker.hpp"
#include "store/postgresql/postgresql_database.hpp"
#include "store/store.hpp"

/// The sessions of one PostgreSQL database and what they share.
namespace sluice::store::postgresql {

/// What a lane knows of its broker's ledger.
struct lane_ledger {
    bool is_known = false;      ///< false: nothing of it was read yet, or a settlement has come to an unknown end
    sequence end = 0;           ///< nothing above it is listed, whatever the part
    sequence own_end = 0;       ///< where the lane's own part ends
    std::set<sequence> rows{};  ///< events in hand that have a row
};

/// What a lane knows of the log. It belongs to a grant, not to a session: when the connection breaks, the lane opens
/// another session and goes on under the same grant, and must not forget which numbers it has gone past.
struct lane_memory {
    std::string owner;
    std::uint64_t epoch = 0;
    gap_tracker gaps{0};
    lane_ledger ledger{};
    /// The event of the highest number that the lane was handed: the log of the same history has it for ever.
    sequence witness = 0;
    std::string witness_id{};
    date_time witness_time{};
};

/// What all sessions share.
///
/// Thread safety: the members may be used concurrently; a `lane_memory` belongs to the lane's thread.
struct shared_state {
    explicit shared_state(postgresql_options chosen);

    /// The memory of a lane, begun anew at `mark` when the grant is another one.
    [[nodiscard]] std::shared_ptr<lane_memory> memory_of(const lease_grant& grant);
    void forget(const std::string& lane);
    /// What the server needs to turn our times into its own; nothing where ours count.
    [[nodiscard]] std::optional<date_time> our_time() const;

    const postgresql_options options;
    const server_address server;
    connection_pool pool;
    numbered_brokers numbered;
    base::keyed_locks locks;  ///< of this process's units, so that one of them at a time waits at the server for a key

private:
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<lane_memory>> memories_;
};

/// Settings of a borrowed connection, and of a lane's own: there every statement shall be executed as its index wants
/// it, whatever the statistics say at the moment.
[[nodiscard]] connection_use shared_use(const postgresql_options& options);
[[nodiscard]] connection_use lane_use(const postgresql_options& options);
/// For migrations, which may take long.
[[nodiscard]] connection_use setup_use(const postgresql_options& options);

[[nodiscard]] std::unique_ptr<unit_session> make_unit_session(shared_state& shared);
class lane_link;
[[nodiscard]] std::unique_ptr<lease_session> make_lease_session(std::shared_ptr<lane_link> link);
/// @param link  that of the lease
[[nodiscard]] std::unique_ptr<row_source> make_row_source(std::shared_ptr<lane_link> link);
[[nodiscard]] std::unique_ptr<operations_session> make_operations_session(shared_state& shared);
[[nodiscard]] std::unique_ptr<kept_message_session> make_kept_message_session(shared_state& shared);
[[nodiscard]] std::unique_ptr<backfill_session> make_backfill_session(shared_state& shared);
[[nodiscard]] std::unique_ptr<read_model_session> make_read_model_session(shared_state& shared);

}  // namespace sluice::store::postgresql
