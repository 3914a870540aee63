#include "envelope/text_template.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include <sluice/message.hpp>

namespace sluice::envelope {

namespace {

using field = std::string (*)(const template_values& of);

std::string domain_of(const template_values& of) {
    return std::string{of.stream_category.substr(0, of.stream_category.find("::"))};
}

std::string aggregate_of(const template_values& of) {
    const auto end = of.stream_category.find("::");
    return std::string{end == std::string_view::npos ? of.stream_category : of.stream_category.substr(end + 2)};
}

constexpr std::array<std::pair<std::string_view, field>, 6> fields{{
    {"aggregate", aggregate_of},
    {"domain", domain_of},
    {"event", [](const template_values& of) { return std::string{message_type{std::string{of.type}}.name()}; }},
    {"stream_category", [](const template_values& of) { return std::string{of.stream_category}; }},
    {"type", [](const template_values& of) { return std::string{of.type}; }},
    {"version",
     [](const template_values& of) { return fmt::format("{}", message_type{std::string{of.type}}.version()); }},
}};

field find_field(std::string_view name) {
    const auto* const found = std::ranges::find(fields, name, &std::pair<std::string_view, field>::first);
    return found == fields.end() ? nullptr : found->second;
}

/// Calls `literal` and `named` for the pieces of a template, in order. @returns what is wrong with it
template <class Literal, class Named>
std::string walk(std::string_view text, Literal literal, Named named) {
    while (!text.empty()) {
        const auto brace = text.find_first_of("{}");
        literal(text.substr(0, brace));
        if (brace == std::string_view::npos) break;
        const auto end = text.find_first_of("{}", brace + 1);
        if (text[brace] == '}' || end == std::string_view::npos || text[end] == '{')
            return "has a brace without its partner";
        const std::string_view name = text.substr(brace + 1, end - brace - 1);
        const field found = find_field(name);
        if (found == nullptr) return fmt::format("has {{{}}}, which stands for nothing", name);
        named(found);
        text.remove_prefix(end + 1);
    }
    return {};
}

}  // namespace

std::string template_fields() {
    std::string all;
    for (const auto& [name, value] : fields) all += fmt::format("{}{{{}}}", all.empty() ? "" : ", ", name);
    return all;
}

std::string problem_of_template(std::string_view text) {
    return walk(
        text, [](std::string_view /*piece*/) {}, [](field /*named*/) {});
}

std::string fill_template(std::string_view text, const template_values& with) {
    std::string filled;
    static_cast<void>(walk(
        text, [&](std::string_view piece) { filled += piece; }, [&](field named) { filled += named(with); }));
    return filled;
}

}  // namespace sluice::envelope
