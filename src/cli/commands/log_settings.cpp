#include "cli/commands/log_settings.hpp"

namespace sluice::cli {

observe::log_settings to_log_settings(const config::log_section& from) {
    return {.threshold = observe::level_named(from.level),
            .format = from.format == "json" ? observe::log_format::json : observe::log_format::text};
}

}  // namespace sluice::cli
