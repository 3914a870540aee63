#pragma once

#include <string>
#include <vector>

#include <sluice/json.hpp>

#include "config/loader.hpp"
#include "operate/installation.hpp"

namespace sluice::operate {

/// The configuration, key by key, with the values that hold and who sets them.
struct settings_view {
    std::string file;
    std::string environment;  ///< which overlay of the file holds; empty: none
    std::vector<config::effective_setting> settings;
};

/// Opens nothing.
/// @param part  a section or a key: `outbox`, `outbox.retry.max_attempts`; empty: all
/// @throws request_error when there is no such part, configuration_error
[[nodiscard]] settings_view read_settings(const site& at, const std::string& part);
[[nodiscard]] json::value to_json(const settings_view& view);

}  // namespace sluice::operate
