#pragma once

#include <vector>

#include <sluice/registry.hpp>

#include "commit/environment.hpp"
#include "config/check.hpp"

namespace sluice::operate {

/// What databases and brokers say of the history of a domain's databases: that another domain has claimed one, that the
/// sequence of a log is behind, that a broker knows a later owner of a lane than its database does, and which messages
/// a lost history has sent. Databases that are not set up or away, and brokers that are away, have nothing to tell.
/// Looks at a bounded number of rows and messages; writes nothing.
[[nodiscard]] std::vector<config::finding> history_findings(const detail::registry& domain,
                                                            const commit::adapters& parts);

}  // namespace sluice::operate
