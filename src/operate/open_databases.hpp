#pragma once

#include <memory>
#include <string>
#include <vector>

#include "commit/environment.hpp"
#include "store/operations.hpp"

namespace sluice::operate {

/// A configured database, open for looking and repairing.
struct open_database {
    std::string name;
    std::unique_ptr<store::operations_session> session;
};

/// All configured databases; what is looked for may lie in each of them.
/// @throws store_error
[[nodiscard]] std::vector<open_database> open_all(const commit::adapters& parts);

/// Of the log; 0 when it is empty. @throws store_error
[[nodiscard]] store::sequence last_number(store::operations_session& session);

}  // namespace sluice::operate
