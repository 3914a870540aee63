#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/commands/workspace.hpp"
#include "store/operations.hpp"

namespace sluice::cli {

/// A configured database, open for looking and repairing.
struct open_database {
    std::string name;
    std::unique_ptr<store::operations_session> session;
};

/// All configured databases; what is looked for may lie in each of them.
[[nodiscard]] std::vector<open_database> open_all(const installation& with);

}  // namespace sluice::cli
