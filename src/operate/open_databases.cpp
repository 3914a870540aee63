#include "operate/open_databases.hpp"

namespace sluice::operate {

std::vector<open_database> open_all(const commit::adapters& parts) {
    std::vector<open_database> opened;
    for (const auto& [name, database] : parts.databases) opened.push_back({name, database->open_operations()});
    return opened;
}

store::sequence last_number(store::operations_session& session) {
    const auto newest = session.events({.newest_first = true, .limit = 1});
    return newest.empty() ? 0 : newest.front().seq;
}

}  // namespace sluice::operate
