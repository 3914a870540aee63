#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "store/history.hpp"
#include "store/sqlite/driver.hpp"

namespace sluice::store::sqlite {

/// The file itself and the incarnation of what is in it.
[[nodiscard]] history_stamp ask_history(connection& db);
/// @param name  of the database, for errors
[[nodiscard]] database_history ask_who(connection& db, std::string_view name);

/// The rows of a lane that are open at or below its mark, where no lane would find them.
struct open_below {
    sequence lowest = 0;
    std::size_t count = 0;
};
/// @param most_rows  to look at, from the mark down
[[nodiscard]] open_below find_open_below(connection& db, std::string_view lane, sequence mark,
                                         std::size_t most_rows = std::numeric_limits<std::int64_t>::max());

void claim_domain(connection& db, std::string_view domain);
[[nodiscard]] adopted begin_incarnation(connection& db, const adoption& how, date_time now);
[[nodiscard]] std::vector<history_fault> find_faults(connection& db, std::size_t most_rows);

}  // namespace sluice::store::sqlite
