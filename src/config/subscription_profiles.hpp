#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/subscription_options.hpp>

/// Profiles: values for several keys of a subscription under one name. Names are compared without regard to case.
namespace sluice::config {

/// Profiles by name in lower case.
using profile_map = std::map<std::string, subscription_options>;

/// `Fast` becomes `fast`; only ASCII letters change.
[[nodiscard]] std::string profile_key(std::string_view name);

/// production, fast, batch and debug.
[[nodiscard]] const profile_map& built_in_profiles();

/// The built-in or custom profile of that name; null when there is none.
[[nodiscard]] const subscription_options* find_profile(std::string_view name, const profile_map& custom);

/// All names that `find_profile` knows, for errors.
[[nodiscard]] std::vector<std::string> profile_names(const profile_map& custom);

}  // namespace sluice::config
