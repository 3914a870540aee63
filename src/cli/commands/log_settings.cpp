#include "cli/commands/log_settings.hpp"

#include <map>
#include <string>

namespace sluice::cli {

observe::log_settings to_log_settings(const config::log_section& from) {
    static const std::map<std::string, observe::level> levels{
        {"trace", observe::level::trace}, {"debug", observe::level::debug}, {"info", observe::level::info},
        {"warn", observe::level::warn},   {"error", observe::level::error}, {"off", observe::level::off}};
    return {.threshold = levels.at(from.level),
            .format = from.format == "json" ? observe::log_format::json : observe::log_format::text};
}

}  // namespace sluice::cli
