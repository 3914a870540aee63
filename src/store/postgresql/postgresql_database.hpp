#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "store/store.hpp"

namespace sluice::store {

struct postgresql_options {
    /// A libpq connection string or URI. TLS (`sslmode=verify-full`, …), several hosts and everything else that libpq
    /// knows pass through. What it leaves open is filled in with deadlines: `connect_timeout`, `tcp_user_timeout` and
    /// keepalives.
    std::string conninfo;
    std::string schema = "public";  ///< where the tables are; `setup()` creates it

    /// Connections of this process: one for each lane, the rest shared by units of work and operators.
    std::size_t max_connections = 16;
    duration connection_wait{std::chrono::seconds{5}};  ///< longest wait for one of them to be free

    duration connect_timeout{std::chrono::seconds{5}};
    duration statement_timeout{std::chrono::seconds{30}};  ///< the server's; the client waits a little longer
    duration lock_timeout{std::chrono::seconds{5}};

    /// Lets a sleeping lane be woken by other processes. Without it, and behind a pooler such as PgBouncer (noticed by
    /// itself), a lane looks when its tick says so, or when its own process commits.
    bool listen_notify = true;
    /// Behind a pooler nothing is prepared, whatever this says.
    bool prepare_statements = true;
    /// How long a lane publishes nothing above a number that a running transaction may still fill. So the order within
    /// a lane is the order of the numbers, unless a transaction takes longer from its first event to its end; within
    /// each stream the order holds in any case. Zero: it waits for nothing.
    duration order_wait{std::chrono::milliseconds{50}};
    /// It waits for as long as it takes: then one long transaction delays everything.
    bool strict_order = false;
    /// Leases, marks, outcomes, schedules and the age of rows are judged by the server's clock, so the clocks of the
    /// machines need not agree. Tests with a virtual clock turn it off; then the time that the caller passes counts.
    bool server_clock = true;
    const clock* time = nullptr;  ///< of this machine; null: system_clock()
};

/// A database on a PostgreSQL server (13 or newer). Nothing is opened before it is used.
///
/// Whatever ends a connection (a restart, a failover, `pg_terminate_backend`), the call in flight fails with a
/// retryable `store_error` and the next call connects again. A commit whose answer was lost is looked up, and is in
/// doubt only when that is impossible.
///
/// @throws configuration_error  the connection string cannot be read; its text is not repeated, it may hold a password
[[nodiscard]] std::unique_ptr<database> make_postgresql_database(postgresql_options options);

}  // namespace sluice::store
