#include "cli/commands/since.hpp"

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "cli/terminal/failure.hpp"
#include "cli/terminal/units.hpp"

namespace sluice::cli {

date_time read_since(const std::string& option, const std::string& text, date_time now) {
    try {
        return text.find('T') == std::string::npos ? now - parse_age(text) : date_time::parse(text);
    } catch (const error&) {
        throw wrong_usage(
            fmt::format("{} {}: neither an age such as 24h nor a time such as 2026-11-30T08:00:00Z", option, text));
    }
}

}  // namespace sluice::cli
