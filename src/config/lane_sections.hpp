#pragma once

#include "config/configuration.hpp"
#include "config/section.hpp"

namespace sluice::config {

/// Reads `[outbox.retry]`, or that of one lane.
void read_retry(section retry, retry_settings& settings);

/// Reads `[outbox.lanes.NAME]` of every lane: `outbox` has one entry for each afterwards.
/// @param so_far  with the brokers; `outbox` has its own keys already
void read_lanes(section lanes, const configuration& so_far, outbox_settings& outbox);

}  // namespace sluice::config
