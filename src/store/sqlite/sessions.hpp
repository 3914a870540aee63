#pragma once

#include <memory>

#include "base/keyed_locks.hpp"
#include "store/sqlite/driver.hpp"

/// The sessions of one SQLite database, each over the connection it is given.
namespace sluice::store::sqlite {

/// @param locks  of this process's units on the same file
[[nodiscard]] std::unique_ptr<unit_session> make_unit_session(std::unique_ptr<connection> db, base::keyed_locks& locks);
class lane_link;
[[nodiscard]] std::unique_ptr<lease_session> make_lease_session(std::shared_ptr<lane_link> link);
/// @param link  that of the lease
[[nodiscard]] std::unique_ptr<row_source> make_row_source(std::shared_ptr<lane_link> link);
[[nodiscard]] std::unique_ptr<operations_session> make_operations_session(std::unique_ptr<connection> db);
[[nodiscard]] std::unique_ptr<kept_message_session> make_kept_message_session(std::unique_ptr<connection> db);
[[nodiscard]] std::unique_ptr<backfill_session> make_backfill_session(std::unique_ptr<connection> db);
[[nodiscard]] std::unique_ptr<read_model_session> make_read_model_session(std::unique_ptr<connection> db);

}  // namespace sluice::store::sqlite
