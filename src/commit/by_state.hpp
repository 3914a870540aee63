#pragma once

#include <memory>
#include <string>
#include <vector>

#include <sluice/error.hpp>

#include "commit/tracked.hpp"

/// Aggregates that are stored as their state.
namespace sluice::commit {

/// @throws validation_error when the state is not readable by this build
[[nodiscard]] std::unique_ptr<tracked> track_state(const detail::aggregate_entry& type, const store::stored_state& row);

/// True when a commit has to write it.
/// @param state  encoded, as it is now
[[nodiscard]] bool is_changed(const tracked& entry, const std::string& state);

/// Adds the new state to the batch when it has changed, and what is wrong with it to `violations`.
void write_state(const tracked& entry, store::commit_batch& batch, std::vector<violation>& violations);

}  // namespace sluice::commit
