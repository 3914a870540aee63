#pragma once

#include <vector>

#include "consume/route.hpp"

namespace sluice::consume {

/// Every route must read from a broker that can be read.
/// @throws configuration_error  naming all that do not, with the remedy
void require_readable(const commit::environment& env, const std::vector<route>& routes);

}  // namespace sluice::consume
