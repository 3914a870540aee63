#pragma once

#include <vector>

#include "config/check.hpp"

namespace sluice::config {

/// What the addresses of servers in a configuration give away: one that can be read in two ways, a control character
/// (often the newline at the end of a secret), a connection to another machine without encryption, a server that is
/// believed without a look at its certificate. All are warnings. Pure; nothing of a password is in them.
void check_addresses(const configuration& with, std::vector<finding>& found);

}  // namespace sluice::config
