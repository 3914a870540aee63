#pragma once

#include <sluice/error.hpp>

#include "store/unit_session.hpp"

/// Why a batch was refused, in the same words whatever the store.
namespace sluice::store {

[[nodiscard]] duplicate_outcome key_in_use(const command_outcome& refused);
/// @param refused  has a time
[[nodiscard]] expected_version_error not_due_any_more(const cancellation& refused);
[[nodiscard]] lease_lost epoch_is_over(const lease_fence& refused);

}  // namespace sluice::store
