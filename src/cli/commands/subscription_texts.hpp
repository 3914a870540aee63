#pragma once

#include <string>
#include <vector>

#include "operate/subscriptions.hpp"

namespace sluice::cli {

/// `ok`, `lagging`, `has dead letters`, `never read`, `-`.
[[nodiscard]] const char* state_text(operate::subscription_state state) noexcept;

/// `profile=fast max_retries=10`: the profiles that decide something, then the keys that were set otherwise than they
/// or the built-in values have it. Empty when everything is usual.
[[nodiscard]] std::string settings_text(const std::vector<config::decided_setting>& decided);

/// `4 subscriptions: 2 ok, 1 lagging, 1 with dead letters`; states that no row has are left out.
[[nodiscard]] std::string summary_text(const std::vector<operate::subscription_row>& rows);

}  // namespace sluice::cli
