#include "config/problems.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::config {

namespace {

std::string describe(const std::string& file, const std::vector<problem>& problems) {
    if (problems.size() == 1) return to_text(file, problems.front());
    std::string text = fmt::format("{} has {} problems:", file, problems.size());
    for (const problem& found : problems) text += "\n  " + to_text(file, found);
    return text;
}

std::vector<problem> by_line(std::vector<problem> problems) {
    std::stable_sort(problems.begin(), problems.end(),
                     [](const problem& a, const problem& b) { return a.line < b.line; });
    return problems;
}

}  // namespace

std::string to_text(const std::string& file, const problem& found) {
    std::string text = file;
    if (found.line > 0) text += fmt::format(":{}", found.line);
    if (!found.key.empty()) text += ": " + found.key;
    if (!found.value.empty()) text += " = " + found.value;
    text += ": " + found.message;
    if (!found.remedy.empty()) text += "; " + found.remedy;
    return text;
}

invalid_configuration::invalid_configuration(const std::string& file, std::vector<problem> problems)
    : configuration_error{describe(file, by_line(problems))}, file_{file}, problems_{by_line(std::move(problems))} {}

}  // namespace sluice::config
