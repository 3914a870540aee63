#pragma once

#include <vector>

#include <sluice/application.hpp>

#include "commit/environment.hpp"
#include "config/console_settings.hpp"
#include "config/setting.hpp"

namespace sluice::app {

/// What other parts of Sluice may see of an application. Refers to it; the environment stays the same as long as the
/// application lives, also where that is moved to.
struct application_parts {
    commit::environment& env;
    const config::console_settings& console;
    const std::vector<config::effective_setting>& settings;

    [[nodiscard]] static application_parts of(application& whole);
};

}  // namespace sluice::app
