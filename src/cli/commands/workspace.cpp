#include "cli/commands/workspace.hpp"

#include <fmt/format.h>

#include <utility>

#include "cli/terminal/failure.hpp"

namespace sluice::cli {

application open_application(const session& in, read_models tables) {
    operate::loaded_application loaded = operate::load_application(in.site);
    for (const config::finding& each : loaded.found) {
        if (each.level != config::severity::warning) continue;
        in.out.warn(fmt::format("{}: {}\n  {}", each.code, each.message, each.remedy));
    }
    return operate::open_application(std::move(loaded), tables);
}

void require_consent(const session& in, const std::string& question, bool is_loss) {
    const bool agreed = is_loss ? in.out.confirm_loss(question) : in.out.confirm(question);
    if (!agreed) throw failure{exit_code::failed, "declined", "nothing was changed"};
}

std::string to_text(const config::finding& found, const console& on) {
    const bool is_error = found.level == config::severity::error;
    std::string text = on.paint(config::to_string(found.level), is_error ? tone::bad : tone::caution) + " " +
                       safe_lines(found.code) + "  " + safe_lines(found.message) + "\n";
    if (!found.remedy.empty()) text += indented(found.remedy, 2) + "\n";
    return text;
}

}  // namespace sluice::cli
