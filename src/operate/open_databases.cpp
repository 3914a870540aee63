#include "operate/open_databases.hpp"

namespace sluice::operate {

std::vector<open_database> open_all(const commit::adapters& parts) {
    std::vector<open_database> opened;
    for (const auto& [name, database] : parts.databases) opened.push_back({name, database->open_operations()});
    return opened;
}

}  // namespace sluice::operate
