#pragma once

#include <vector>

#include "config/check.hpp"

namespace sluice::config {

/// Whether the connections that one process may have to a database are enough for what an engine keeps there, one for
/// each shard of each lane and one for each sequential handler, and for units of work beside that. An error when
/// nothing is left for those, a warning when it is a single one.
void check_connections(const detail::registry& domain, const configuration& with, std::vector<finding>& found);

}  // namespace sluice::config
