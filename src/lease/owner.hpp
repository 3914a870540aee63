#pragma once

#include <string>

#include "base/random.hpp"

namespace sluice::lease {

/// 16 random hexadecimal digits, which tell one start of a process from every other. Host name and process id do not:
/// the first process of each container has the id 1, and images are started twice with one host name.
[[nodiscard]] std::string make_incarnation(base::random_source& random);

/// The text that owns leases: `{hostname}-{pid}-{incarnation}`. Different for every start, so that a process never
/// takes up what its predecessor left in flight.
[[nodiscard]] std::string make_lane_owner(base::random_source& random);

}  // namespace sluice::lease
