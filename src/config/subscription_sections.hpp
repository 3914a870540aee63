#pragma once

#include "config/configuration.hpp"
#include "config/section.hpp"

namespace sluice::config {

/// Reads what `[server]` says about subscriptions: `subscription`, `subscriptions.NAME`, `profiles.NAME` and
/// `default_subscription_profile`. Only keys that are in the file are set in `server`. Whether a NAME is a handler's is
/// not known here (config/check.hpp).
void read_subscriptions(section& server_section, server_settings& server);

}  // namespace sluice::config
