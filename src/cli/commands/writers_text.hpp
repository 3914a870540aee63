#pragma once

#include <string>
#include <vector>

#include "store/operations.hpp"

namespace sluice::cli {

/// `pid 4242, open for 3m 12s (psql, idle in transaction)`; the first three, and how many more.
[[nodiscard]] std::string writers_text(const std::vector<store::open_writer>& writers);

}  // namespace sluice::cli
