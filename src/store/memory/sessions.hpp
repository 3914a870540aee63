#pragma once

#include <memory>

#include "store/memory/memory_data.hpp"
#include "store/store.hpp"

/// The sessions of one memory database, which outlives them.
namespace sluice::store::memory {

[[nodiscard]] std::unique_ptr<unit_session> make_unit_session(memory_data& data);
struct lane_link;
[[nodiscard]] std::unique_ptr<lease_session> make_lease_session(std::shared_ptr<lane_link> link);
/// @param link  that of the lease
[[nodiscard]] std::unique_ptr<row_source> make_row_source(std::shared_ptr<lane_link> link);
[[nodiscard]] std::unique_ptr<operations_session> make_operations_session(memory_data& data);
[[nodiscard]] std::unique_ptr<kept_message_session> make_kept_message_session(memory_data& data);
[[nodiscard]] std::unique_ptr<backfill_session> make_backfill_session(memory_data& data);
[[nodiscard]] std::unique_ptr<read_model_session> make_read_model_session(memory_data& data);

}  // namespace sluice::store::memory
