#pragma once

#include <vector>

#include "config/configuration.hpp"
#include "config/setting.hpp"

namespace sluice::config {

/// Gives the keys that the file leaves open in `[server.subscription]`, in each `[server.subscriptions.NAME]` and in
/// each `[server.profiles.NAME]` the value that they come to, and says from where. Pure.
///
/// What the code of a handler says is not known here; it is stronger than all of this.
void complete_subscriptions(std::vector<effective_setting>& settings, const server_settings& server);

/// Puts the keys of one section together, in the order in which the sections and keys first come.
void group_by_section(std::vector<effective_setting>& settings);

}  // namespace sluice::config
