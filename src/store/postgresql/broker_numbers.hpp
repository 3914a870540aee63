#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "store/postgresql/connection.hpp"
#include "store/postgresql/failure.hpp"

namespace sluice::store::postgresql {

/// The statements that give a broker the number by which events know it. A number is given once and stays.
struct broker_statements {
    explicit broker_statements(const std::string& schema);

    statement lock;      ///< first, $1 names: one at a time gives numbers; nobody waits who needs none
    statement add;       ///< $1 name; nothing happens when it has a number
    statement add_part;  ///< $1 name, $2 part of the ledger
};

/// Gives each broker that has none a number, in a transaction of its own.
/// @throws store_error  all numbers are in use
void number_brokers(connection& db, const std::string& schema, std::span<const std::string> names);

/// The brokers that were seen to have a number, so that a commit need not be refused to find out. Another database may
/// stand in the place of this one meanwhile, and there a commit is refused after all.
///
/// Thread safety: may be used concurrently.
class numbered_brokers {
public:
    /// Sees to it that all of them have a number.
    void require(connection& db, const std::string& schema, std::span<const std::string> names);

private:
    std::mutex mutex_;
    std::set<std::string, std::less<>> seen_;
};

/// The same, and lets the broker's ledger have a part.
void add_ledger_part(connection& db, const std::string& schema, std::string_view broker, int part);

/// What to say when there is no number left; nothing when the refusal is about something else.
[[nodiscard]] std::string no_number_left(const statement_error& refusal, std::string_view server);

}  // namespace sluice::store::postgresql
