#include "cli/commands/open_databases.hpp"

namespace sluice::cli {

std::vector<open_database> open_all(const installation& with) {
    std::vector<open_database> opened;
    for (const auto& [name, database] : with.parts.databases) opened.push_back({name, database->open_operations()});
    return opened;
}

}  // namespace sluice::cli
