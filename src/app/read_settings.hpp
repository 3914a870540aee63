#pragma once

#include <string>

#include <sluice/settings.hpp>

#include "config/loader.hpp"

namespace sluice::app {

/// The configuration that a program gives, checked against the adapters of this build, and what every key comes to.
/// @param domain  the normalized name, for the database of a configuration that has none
/// @throws configuration_error with everything that is wrong
[[nodiscard]] config::explained_configuration read_settings(const settings& given, const std::string& domain);

}  // namespace sluice::app
