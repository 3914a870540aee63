#pragma once

#include <memory>

#include "base/keyed_locks.hpp"
#include "store/sqlite/driver.hpp"

/// The sessions of one SQLite database, each over the connection it is given.
namespace sluice::store::sqlite {

/// @param locks  of this process's units on the same file
[[nodiscard]] std::unique_ptr<unit_session> make_unit_session(std::unique_ptr<connection> db, base::keyed_locks& locks);
[[nodiscard]] std::unique_ptr<lane_session> make_lane_session(std::unique_ptr<connection> db);
[[nodiscard]] std::unique_ptr<operations_session> make_operations_session(std::unique_ptr<connection> db);
[[nodiscard]] std::unique_ptr<read_model_session> make_read_model_session(std::unique_ptr<connection> db);

}  // namespace sluice::store::sqlite
