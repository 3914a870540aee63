#include "operate/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "config/section.hpp"
#include "operate/json_forms.hpp"
#include "operate/request_error.hpp"

namespace sluice::operate {

namespace {

using config::effective_setting;

json::value value_json(const config::setting_value& value) {
    if (const auto* flag = std::get_if<bool>(&value)) return *flag;
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return *whole;
    if (const auto* number = std::get_if<double>(&value)) return *number;
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    const auto* list = std::get_if<std::vector<std::string>>(&value);
    return list == nullptr ? json::value{} : json::value{json::array(list->begin(), list->end())};
}

json::object setting_json(const effective_setting& of) {
    json::array variables;
    for (const auto& [name, is_set] : of.variables) {
        variables.push_back(json::object{{"name", name}, {"set", is_set}});
    }
    return json::object{{"section", of.section},
                        {"key", of.key},
                        {"value", value_json(of.value)},
                        {"masked", of.masked},
                        {"file", text_or_null(of.resolved)},
                        {"origin", config::to_string(of.from)},
                        {"line", of.line == 0 ? json::value{} : json::value{of.line}},
                        {"profile", text_or_null(of.profile)},
                        {"inherited_from", text_or_null(of.inherited)},
                        {"variables", std::move(variables)}};
}

request_error no_such_part(const std::string& part, const std::vector<std::string>& known) {
    std::vector<std::string> sections;
    std::ranges::copy_if(known, std::back_inserter(sections),
                         [](const std::string& name) { return name.find('.') == std::string::npos; });
    const std::string near = config::did_you_mean(part, known, "");
    return wrong_request(
        fmt::format("the configuration has no section and no key `{}`; {}", part,
                    near.starts_with("did you") ? near : config::did_you_mean(part, sections, "sections are")));
}

/// The part that was asked for, or all.
std::vector<effective_setting> chosen_of(const std::vector<effective_setting>& all, const std::string& part) {
    std::vector<effective_setting> chosen;
    std::vector<std::string> known;
    for (const effective_setting& each : all) {
        const bool is_below = each.section == part || each.section.starts_with(part + ".");
        if (part.empty() || is_below || each.path() == part) chosen.push_back(each);
        for (std::string name : {each.section.substr(0, each.section.find('.')), each.section, each.path()}) {
            if (std::ranges::find(known, name) == known.end()) known.push_back(std::move(name));
        }
    }
    if (chosen.empty()) throw no_such_part(part, known);
    return chosen;
}

}  // namespace

settings_view read_settings(const site& at, const std::string& part) {
    const config::explained_configuration all =
        config::explain(at.config, at.program.providers(), config::process_variable, [&at] { return domain_name(at); });
    return {.file = all.values.file, .environment = all.values.environment, .settings = chosen_of(all.settings, part)};
}

json::value to_json(const settings_view& view) {
    json::array list;
    for (const effective_setting& each : view.settings) list.push_back(setting_json(each));
    return json::object{
        {"configuration", view.file}, {"environment", text_or_null(view.environment)}, {"settings", std::move(list)}};
}

}  // namespace sluice::operate
