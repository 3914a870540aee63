#include "cli/commands/subscription_texts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <variant>

#include "cli/terminal/units.hpp"

namespace sluice::cli {

using operate::subscription_state;

namespace {

std::string value_text(const config::decided_setting& setting) {
    return std::visit([](const auto& value) { return fmt::format("{}", value); }, setting.value);
}

}  // namespace

const char* state_text(subscription_state state) noexcept {
    switch (state) {
        case subscription_state::dead_letters:
            return "has dead letters";
        case subscription_state::never_read:
            return "never read";
        case subscription_state::unknown:
            return "-";
        case subscription_state::ok:
        case subscription_state::lagging:
            break;
    }
    return operate::to_string(state);
}

std::string settings_text(const std::vector<config::decided_setting>& decided) {
    std::vector<std::string> parts;
    for (const config::decided_setting& each : decided) {
        if (each.profile.empty()) continue;
        std::string profile = "profile=" + each.profile;
        if (std::find(parts.begin(), parts.end(), profile) == parts.end()) parts.push_back(std::move(profile));
    }
    for (const config::decided_setting& each : decided) {
        if (each.deviates) parts.push_back(fmt::format("{}={}", each.key, value_text(each)));
    }
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : " ") + part;
    return text;
}

std::string summary_text(const std::vector<operate::subscription_row>& rows) {
    struct part {
        subscription_state state;
        const char* text;
    };
    static constexpr std::array parts{part{subscription_state::ok, "ok"}, part{subscription_state::lagging, "lagging"},
                                      part{subscription_state::dead_letters, "with dead letters"},
                                      part{subscription_state::never_read, "never read"},
                                      part{subscription_state::unknown, "unknown"}};
    std::string text;
    for (const auto& [state, word] : parts) {
        const std::int64_t count = operate::count_in(rows, state);
        if (count > 0) text += fmt::format("{}{} {}", text.empty() ? ": " : ", ", count_text(count), word);
    }
    return count_of(std::ssize(rows), "subscription") + text;
}

}  // namespace sluice::cli
