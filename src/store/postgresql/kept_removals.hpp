#pragma once

#include <span>
#include <string>
#include <string_view>

#include "store/kept_removal.hpp"
#include "store/postgresql/exchange.hpp"

// One transaction at a time changes what waits at a place, so none comes behind a message that is just leaving.
#define SLUICE_KEPT_LOCK(broker, stream, group)                                               \
    "pg_advisory_xact_lock(hashtextextended(" broker " || ' ' || " stream " || ' ' || " group \
    ", '@kept_message'::regclass::oid::bigint))"
#define SLUICE_KEPT_PLACE "broker = $1 AND stream = $2 AND consumer_group = $3"
#define SLUICE_KEPT_WAITING "dead_since IS NULL"

namespace sluice::store::postgresql {

/// How kept messages leave the table: by themselves, or with what their handler commits. Each call adds its statements
/// to the transaction of a round trip; rows are locked in the order of their numbers.
class kept_removals {
public:
    explicit kept_removals(const std::string& schema);

    /// Keeps out, until the end of the transaction, everybody else who changes what waits at the place.
    void lock(exchange& trip, const kept_place& at) const;
    /// Removes those of the names that the owner has claimed. Under the lock.
    void remove(exchange& trip, const kept_place& at, std::string_view owner, std::span<const kept_name> names) const;
    /// Lets the next message of each key be its first one. Under the lock.
    void promote(exchange& trip, const kept_place& at, std::span<const kept_name> after) const;

private:
    statement lock_;     ///< $1 broker, $2 stream, $3 group
    statement remove_;   ///< the same, and $4 numbers, $5 owner
    statement promote_;  ///< the same, and $4 keys
};

}  // namespace sluice::store::postgresql
