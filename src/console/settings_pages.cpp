#include <fmt/format.h>

#include <variant>

#include "console/console.hpp"
#include "console/layout.hpp"
#include "console/widgets.hpp"
#include "operate/settings.hpp"

namespace sluice::console {

namespace {

markup shown_value(const config::effective_setting& of) {
    if (std::holds_alternative<std::monostate>(of.value)) return faint("not set");
    std::string text;
    if (const auto* flag = std::get_if<bool>(&of.value)) text = *flag ? "true" : "false";
    if (const auto* whole = std::get_if<std::int64_t>(&of.value)) text = std::to_string(*whole);
    if (const auto* number = std::get_if<double>(&of.value)) text = fmt::format("{}", *number);
    if (const auto* word = std::get_if<std::string>(&of.value)) text = *word;
    if (const auto* list = std::get_if<std::vector<std::string>>(&of.value)) {
        for (const std::string& each : *list) text += (text.empty() ? "" : ", ") + each;
    }
    markup shown = code(text);
    if (of.masked) shown += " " + badge(tone::faint, "masked");
    return shown;
}

markup origin_of(const config::effective_setting& of, const operate::settings_view& in) {
    std::string text;
    switch (of.from) {
        case config::origin::built_in:
            return faint("built-in");
        case config::origin::profile:
            text = "profile " + of.profile;
            break;
        case config::origin::overlay:
            text = fmt::format("[{}] line {}", in.environment, of.line);
            break;
        case config::origin::file:
            text = fmt::format("line {}", of.line);
            break;
    }
    for (const auto& [name, is_set] : of.variables)
        text += fmt::format("{}${{{}}}", is_set ? ", " : ", default of ", name);
    return text;
}

http::http_answer show_settings(const console& in, const visit& of) {
    const operate::settings_view view = of.where->settings();
    const bool all = of.query.get("all") == "yes";
    form_values other;
    if (!all) other.set("all", "yes");
    markup content = paragraph(
        faint("What holds when the file is read now. ") + code(view.file) + " " +
        (view.environment.empty() ? markup{} : badge(tone::plain, view.environment) + " ") +
        link(target(path_in(of, {"configuration"}), other), all ? "Only what is set" : "With built-in values"));
    std::string section;
    std::optional<table> list;
    const auto close = [&] {
        if (list) content += panel("[" + section + "]", list->render(""));
        list.reset();
    };
    for (const config::effective_setting& each : view.settings) {
        if (!all && each.from == config::origin::built_in) continue;
        if (!list || each.section != section) {
            close();
            section = each.section;
            list.emplace("Keys of " + section);
            list->column("Key").column("Value").column("From");
        }
        list->row({code(each.key), shown_value(each), origin_of(each, view)});
    }
    close();
    return page(in, of, {.title = "Configuration", .section = "configuration", .content = content});
}

}  // namespace

void add_settings_pages(router& to, console& of) {
    to.add({.method = "GET", .path = "/console/contexts/{context}/configuration", .answer = [&of](const visit& by) {
                return show_settings(of, by);
            }});
}

}  // namespace sluice::console
