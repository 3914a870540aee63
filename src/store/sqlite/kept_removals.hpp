#pragma once

#include <span>
#include <string_view>

#include "store/kept_removal.hpp"
#include "store/sqlite/driver.hpp"

namespace sluice::store::sqlite {

/// How kept messages leave the table: by themselves, or with what their handler commits. All belongs to the write
/// transaction that is open on its connection.
///
/// Thread safety and lifetime: those of the connection.
class kept_removals {
public:
    explicit kept_removals(connection& db) : db_{db} {}

    /// Removes those of the names that the owner has claimed.
    void remove(const kept_place& at, std::string_view owner, std::span<const kept_name> names);
    /// Lets the next message of each key be its first one.
    void promote(const kept_place& at, std::span<const kept_name> after);

private:
    connection& db_;

    statement remove_{db_, "DELETE FROM kept_message WHERE number = ?1 AND claimed_by = ?2"};
    statement promote_{db_,
                       "UPDATE kept_message SET behind = 0 WHERE behind AND number IN"
                       " (SELECT min(number) FROM kept_message WHERE broker = ?1 AND stream = ?2"
                       " AND consumer_group = ?3 AND dead_since IS NULL"
                       " AND key IN (SELECT value FROM json_each(?4)) GROUP BY key)"};
};

}  // namespace sluice::store::sqlite
