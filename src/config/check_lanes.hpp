#pragma once

#include <vector>

#include "config/check.hpp"

namespace sluice::config {

/// What `[outbox.lanes.NAME]` says and the domain has not: patterns of events and aggregates that mean nothing
/// (warnings), and members to redact that no published event has (errors).
void check_lanes(const detail::registry& domain, const configuration& with, std::vector<finding>& found);

}  // namespace sluice::config
