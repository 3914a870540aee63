#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/error.hpp>

#include "commit/environment.hpp"
#include "commit/replay.hpp"
#include "commit/tracked.hpp"

/// Aggregates that are stored as their events.
namespace sluice::commit {

[[nodiscard]] std::unique_ptr<tracked> track_history(const detail::aggregate_entry& type, std::string_view id,
                                                     replayed found);

/// Lets the event happen to `entry.told`, as it will when the aggregate is read again.
/// @param data  what will be stored
/// @throws usage_error when the event cannot be read back from it
void retell(tracked& entry, std::string_view event, const json::value& data);

/// Adds a snapshot to the batch when one is due, and what is wrong with the aggregate to `violations`. The events are
/// written by the unit.
/// @param interval  events between snapshots
/// @throws usage_error when the aggregate is not what its events say, so that reading it would give another one
void write_history(const tracked& entry, std::size_t interval, store::commit_batch& batch,
                   std::vector<violation>& violations);

}  // namespace sluice::commit
