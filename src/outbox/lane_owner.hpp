#pragma once

#include <string>

#include "base/random.hpp"

namespace sluice::outbox {

/// The text that owns leases: `{hostname}-{pid}-{8 hex}`. Different for every start, so that a process never takes up
/// what its predecessor left in flight.
[[nodiscard]] std::string make_lane_owner(base::random_source& random);

}  // namespace sluice::outbox
