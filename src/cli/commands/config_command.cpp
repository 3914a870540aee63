#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/commands/commands.hpp"
#include "cli/commands/workspace.hpp"
#include "cli/terminal/failure.hpp"
#include "cli/terminal/table.hpp"
#include "config/loader.hpp"
#include "config/printable.hpp"
#include "config/section.hpp"
#include "operate/json_forms.hpp"

namespace sluice::cli {

namespace {

using config::effective_setting;
using config::explained_configuration;
using config::origin;
using config::setting_value;
using operate::text_or_null;

struct config_arguments {
    std::string part;
    bool origin = false;
};

/// JSON's texts are TOML's, too.
std::string toml_text(const std::string& text) { return config::printable(json::dump(json::value{text})); }

std::string toml_value(const setting_value& value) {
    if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
    if (const auto* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
    if (const auto* text = std::get_if<std::string>(&value)) return toml_text(*text);
    std::vector<std::string> quoted;
    for (const std::string& each : std::get<std::vector<std::string>>(value)) quoted.push_back(toml_text(each));
    return fmt::format("[{}]", fmt::join(quoted, ", "));
}

json::value json_value(const setting_value& value) {
    if (const auto* flag = std::get_if<bool>(&value)) return *flag;
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return *whole;
    if (const auto* number = std::get_if<double>(&value)) return *number;
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    const auto* list = std::get_if<std::vector<std::string>>(&value);
    return list == nullptr ? json::value{} : json::value{json::array(list->begin(), list->end())};
}

/// `domain.toml:12`, `[production] domain.toml:40`, `profile fast`, `built-in`.
std::string origin_text(const effective_setting& of, const explained_configuration& in) {
    std::string text;
    switch (of.from) {
        case origin::built_in:
            text = "built-in";
            break;
        case origin::profile:
            text = "profile " + of.profile;
            break;
        case origin::overlay:
            text = fmt::format("[{}] {}:{}", in.values.environment, in.values.file, of.line);
            break;
        case origin::file:
            text = fmt::format("{}:{}", in.values.file, of.line);
            break;
    }
    if (!of.inherited.empty()) text += fmt::format(", [{}]", of.inherited);
    for (const auto& [name, is_set] : of.variables) {
        text += fmt::format("{}${{{}}}", is_set ? ", " : ", default of ", name);
    }
    return text;
}

std::string comment_of(const effective_setting& of, const explained_configuration& in, bool with_origin) {
    std::string text = with_origin ? origin_text(of, in) : "";
    const auto add = [&](const std::string& more) { text += (text.empty() ? "" : "; ") + more; };
    if (!of.resolved.empty() && std::get<std::string>(of.value) != of.resolved) add("file " + of.resolved);
    if (of.masked) add("not all is shown");
    return config::printable(text);
}

/// The part of a key or a section that was asked for, or all.
std::vector<effective_setting> settings_of(const explained_configuration& in, const std::string& part) {
    std::vector<effective_setting> chosen;
    std::vector<std::string> known;
    for (const effective_setting& each : in.settings) {
        const bool is_below = each.section == part || each.section.starts_with(part + ".");
        if (part.empty() || is_below || each.path() == part) chosen.push_back(each);
        for (std::string name : {each.section.substr(0, each.section.find('.')), each.section, each.path()}) {
            if (std::ranges::find(known, name) == known.end()) known.push_back(std::move(name));
        }
    }
    if (!chosen.empty()) return chosen;
    std::vector<std::string> sections;
    std::ranges::copy_if(known, std::back_inserter(sections),
                         [](const std::string& name) { return name.find('.') == std::string::npos; });
    const std::string near = config::did_you_mean(part, known, "");
    throw wrong_usage(
        fmt::format("the configuration has no section and no key `{}`; {}", part,
                    near.starts_with("did you") ? near : config::did_you_mean(part, sections, "sections are")));
}

json::object as_json(const effective_setting& of) {
    json::array variables;
    for (const auto& [name, is_set] : of.variables) {
        variables.push_back(json::object{{"name", name}, {"set", is_set}});
    }
    return json::object{{"section", of.section},
                        {"key", of.key},
                        {"value", json_value(of.value)},
                        {"masked", of.masked},
                        {"file", text_or_null(of.resolved)},
                        {"origin", config::to_string(of.from)},
                        {"line", of.line == 0 ? json::value{} : json::value{of.line}},
                        {"profile", text_or_null(of.profile)},
                        {"inherited_from", text_or_null(of.inherited)},
                        {"variables", std::move(variables)}};
}

/// The form of domain.toml, so that it can be read, compared and copied.
void print_toml(const session& in, const explained_configuration& all, const std::vector<effective_setting>& chosen,
                bool with_origin) {
    const std::string& environment = all.values.environment;
    in.out.print(in.out.paint(
        config::printable(
            "# " + all.values.file +
            (environment.empty() ? "" : fmt::format(", {}={}", config::environment_variable, environment))),
        tone::faint));
    std::vector<std::string> lines;
    std::size_t widest = 0;
    for (const effective_setting& each : chosen) {
        const bool open = std::holds_alternative<std::monostate>(each.value);
        lines.push_back(open ? "# " + each.key + " is not set" : each.key + " = " + toml_value(each.value));
        constexpr std::size_t widest_that_counts = 60;
        if (const auto width = display_width(lines.back()); width <= widest_that_counts)
            widest = std::max(widest, width);
    }
    std::string section;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        if (chosen[i].section != section) {
            section = chosen[i].section;
            in.out.print("\n" + in.out.paint("[" + section + "]", tone::strong));
        }
        const std::string comment = comment_of(chosen[i], all, with_origin);
        if (comment.empty()) {
            in.out.print(lines[i]);
        } else {
            const std::size_t width = display_width(lines[i]);
            in.out.print(lines[i] + std::string(std::max(widest, width) - width + 2, ' ') +
                         in.out.paint("# " + comment, tone::faint));
        }
    }
}

exit_code show_config(const session& in, const config_arguments& given) {
    const explained_configuration all =
        config::explain(in.site.config, in.site.program.providers(), config::process_variable,
                        [&in] { return operate::domain_name(in.site); });
    const std::vector<effective_setting> chosen = settings_of(all, given.part);
    if (in.out.json()) {
        json::array list;
        for (const effective_setting& each : chosen) list.push_back(as_json(each));
        in.out.print_json(json::object{{"configuration", all.values.file},
                                       {"environment", text_or_null(all.values.environment)},
                                       {"settings", std::move(list)}});
    } else {
        print_toml(in, all, chosen, given.origin);
    }
    return exit_code::ok;
}

}  // namespace

void add_config(command& root) {
    const auto given = std::make_shared<config_arguments>();
    root.add("config", "Look at the configuration")
        .add("show", "Show every key with the value that holds; opens nothing")
        .optional_argument("SECTION", given->part, "Only this section, or this key: outbox, outbox.retry.max_attempts")
        .flag("--origin", given->origin, "With who sets it: the line of the file, a profile, a variable")
        .runs(show_config, given);
}

}  // namespace sluice::cli
