#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// What tells one history of a database from another. A restored backup, a standby that lagged and was promoted, and a
/// copy have the same tables as the database that they come from, but not its last commits: a number of the log, a
/// lease's epoch or a transaction's number means something else there.
namespace sluice::store {

/// Signs of a history by name, such as `timeline` or `incarnation`. What may not be asked is left out.
using history_stamp = std::map<std::string, std::string, std::less<>>;

/// `incarnation=0 system=7421` in the order of the names. Values hold no space and no `=`.
[[nodiscard]] std::string to_text(const history_stamp& stamp);
/// The reverse; what is no `name=value` is left out.
[[nodiscard]] history_stamp stamp_from(std::string_view text);
/// The signs that both have and that differ, for people: `timeline was 1 and is 2`. Empty when none does: then it may
/// be the same history.
[[nodiscard]] std::string difference_between(const history_stamp& then, const history_stamp& now);

/// Who a database is.
struct database_history {
    std::string identity{};         ///< random, given at setup; a part of the producer names that fence a broker
    std::uint64_t incarnation = 0;  ///< grows with each adoption; every epoch of a lease is above it
    std::string domain{};           ///< whose events it holds; empty: nobody has claimed it yet
    /// Where it is kept: two databases that live at the same time are never at one place. Empty: not known.
    std::string place{};
    std::uint64_t timeline = 0;  ///< of the server; a later one descends from an earlier one. 0: there are none
    history_stamp stamp{};
};

/// An order to begin a new incarnation.
struct adoption {
    bool copy = false;        ///< it is a copy of a database that lives on: it gets an identity of its own, too
    std::string domain{};     ///< the new name of the domain; empty: it stays
    std::uint64_t above = 0;  ///< the new incarnation is above this epoch
    /// Nobody has asked for it. Refused within an hour of the last one: two databases that claim to be the same would
    /// take turns.
    bool by_itself = false;
};

/// What an adoption did.
struct adopted {
    std::string refusal{};  ///< why nothing was done; empty when it was
    std::string identity{};
    std::uint64_t incarnation = 0;
    std::size_t lanes = 0;     ///< that begin again
    std::size_t reopened = 0;  ///< rows that were open below the mark of their lane
};

/// Something about the history of a database that an operator must know.
struct history_fault {
    std::string code{};
    std::string element{};
    std::string message{};
    std::string remedy{};
    bool fatal = false;  ///< no server may start
};

[[nodiscard]] history_fault other_history_fault(const std::string& lane, const std::string& difference);
[[nodiscard]] history_fault open_below_fault(const std::string& lane, std::int64_t mark, std::size_t count,
                                             std::int64_t lowest);

/// @param database  its description
/// @throws store_error when another domain has claimed the database; names both and the remedy
void require_domain(const database_history& history, std::string_view database, std::string_view domain);

}  // namespace sluice::store
