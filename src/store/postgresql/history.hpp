#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/history.hpp"
#include "store/lane_name.hpp"
#include "store/postgresql/connection.hpp"
#include "store/postgresql/exchange.hpp"

namespace sluice::store::postgresql {

/// What a server says of itself that an account may ask it. Functions that this account may not execute are left out.
class server_questions {
public:
    /// Adds the question what may be asked; it sees no table.
    [[nodiscard]] static std::size_t add_rights(exchange& trip);
    [[nodiscard]] static server_questions from(const result& rights);

    /// The server is a standby: it answers, and perhaps with what was true a while ago.
    [[nodiscard]] bool in_recovery() const noexcept { return in_recovery_; }
    [[nodiscard]] bool may_ask_timeline() const noexcept { return timeline_; }
    /// The system's identifier, its timeline and the address at which it was met: two copies of one system, each with
    /// its own commits, may have the rest in common. Without the right to ask for the timeline, the start of the server
    /// stands for it: then every restart looks like another history, which costs a second look and nothing else.
    [[nodiscard]] history_stamp ask(connection& db) const;

private:
    bool in_recovery_ = false;
    bool system_ = false;
    bool timeline_ = false;
    std::string started_{};
    std::string address_{};
};

/// Asks again, for where the connection may have led to another server since it was made.
[[nodiscard]] history_stamp ask_server(connection& db, bool& in_recovery);

/// The server's signs, and those of the database and of Sluice's tables in it.
[[nodiscard]] history_stamp ask_history(connection& db, const std::string& schema, bool& in_recovery);
[[nodiscard]] database_history ask_who(connection& db, const std::string& schema, std::string_view server_name);

/// An expression for the current timeline, NULL on a standby. Behind a pooler it is asked within each transaction.
inline constexpr auto timeline_sql =
    "CASE WHEN NOT pg_is_in_recovery() THEN"
    " ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint::text END";

/// The rows of a lane that are open at or below its mark, where no lane would find them.
struct open_below {
    sequence lowest = 0;
    std::size_t count = 0;
    bool looked_at_all = true;
};
/// @param most  rows to look at, from the mark down
[[nodiscard]] open_below find_open_below(connection& db, const std::string& schema, std::string_view lane,
                                         sequence mark, std::size_t most);

void claim_domain(connection& db, const std::string& schema, std::string_view domain);
[[nodiscard]] adopted begin_incarnation(connection& db, const std::string& schema, const adoption& how);
[[nodiscard]] std::vector<history_fault> find_faults(connection& db, const std::string& schema,
                                                     std::string_view server_name, std::size_t most_rows);

/// The error of a commit for which the sequence of the log has handed out a number that was used before.
[[nodiscard]] std::string behind_its_table(std::string_view server_name, const std::string& schema);

}  // namespace sluice::store::postgresql
