#include "cli/commands/writers_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "cli/terminal/units.hpp"

namespace sluice::cli {

std::string writers_text(const std::vector<store::open_writer>& writers) {
    constexpr std::size_t most_named = 3;
    std::string text;
    for (std::size_t i = 0; i < std::min(writers.size(), most_named); ++i) {
        const auto& [pid, age, application, state] = writers[i];
        if (i > 0) text += "; ";
        text += pid == 0 ? "a prepared transaction" : fmt::format("pid {}", pid);
        if (age) text += ", open for " + age_text(*age);
        if (!application.empty() && !state.empty()) {
            text += fmt::format(" ({}, {})", application, state);
        } else if (!application.empty() || !state.empty()) {
            text += fmt::format(" ({}{})", application, state);
        }
    }
    if (writers.size() > most_named) text += fmt::format("; and {} more", writers.size() - most_named);
    return text;
}

}  // namespace sluice::cli
