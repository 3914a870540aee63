#pragma once

#include <string_view>

#include <sluice/error.hpp>

#include "store/unit_session.hpp"

/// Why a batch was refused, in the same words whatever the store.
namespace sluice::store {

[[nodiscard]] expected_version_error wrong_version(const state_write& refused);
/// @param refused  expects a position
/// @param position  where its stream is
[[nodiscard]] expected_version_error wrong_position(const event_write& refused, std::string_view position);
[[nodiscard]] duplicate_message logged_already(const logged_event& refused);
[[nodiscard]] duplicate_message handled_before(const inbox_mark& refused);
[[nodiscard]] duplicate_outcome key_in_use(const command_outcome& refused);
/// @param refused  has a time
[[nodiscard]] expected_version_error not_due_any_more(const cancellation& refused);
[[nodiscard]] lease_lost epoch_is_over(const lease_fence& refused);

}  // namespace sluice::store
