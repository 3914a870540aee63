#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/commands/commands.hpp"
#include "cli/terminal/table.hpp"
#include "config/printable.hpp"
#include "operate/provider_keys.hpp"
#include "operate/settings.hpp"

namespace sluice::cli {

namespace {

using config::effective_setting;
using config::origin;
using config::provider_option;
using config::setting_value;
using operate::settings_view;

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

/// `domain.toml:12`, `[production] domain.toml:40`, `profile fast`, `built-in`.
std::string origin_text(const effective_setting& of, const settings_view& in) {
    std::string text;
    switch (of.from) {
        case origin::built_in:
            text = "built-in";
            break;
        case origin::profile:
            text = "profile " + of.profile;
            break;
        case origin::overlay:
            text = fmt::format("[{}] {}:{}", in.environment, in.file, of.line);
            break;
        case origin::file:
            text = of.line == 0 ? std::string{"environment"} : fmt::format("{}:{}", in.file, of.line);
            break;
    }
    if (!of.inherited.empty()) text += fmt::format(", [{}]", of.inherited);
    for (const auto& [name, is_set] : of.variables) {
        text += fmt::format("{}${{{}}}", is_set ? ", " : ", default of ", name);
    }
    return text;
}

std::string comment_of(const effective_setting& of, const settings_view& in, bool with_origin) {
    std::string text = with_origin ? origin_text(of, in) : "";
    const auto add = [&](const std::string& more) { text += (text.empty() ? "" : "; ") + more; };
    if (!of.resolved.empty() && std::get<std::string>(of.value) != of.resolved) add("file " + of.resolved);
    if (of.masked) add("not all is shown");
    return config::printable(text);
}

/// A key with its value, as it would stand in the file.
std::string toml_line(const effective_setting& of) {
    const bool open = std::holds_alternative<std::monostate>(of.value);
    return open ? "# " + of.key + " is not set" : of.key + " = " + toml_value(of.value);
}

/// The column behind which comments stand: that of the longest line, but for very long ones.
std::size_t width_of(const std::vector<effective_setting>& settings) {
    constexpr std::size_t widest_that_counts = 60;
    std::size_t widest = 0;
    for (const effective_setting& each : settings) {
        const auto width = display_width(toml_line(each));
        if (width <= widest_that_counts) widest = std::max(widest, width);
    }
    return widest;
}

/// The form of domain.toml, so that it can be read, compared and copied.
void print_toml(const session& in, const settings_view& view, bool with_origin) {
    in.out.print(in.out.paint(
        config::printable(
            "# " + view.file +
            (view.environment.empty() ? "" : fmt::format(", {}={}", config::environment_variable, view.environment))),
        tone::faint));
    const std::size_t widest = width_of(view.settings);
    std::string section;
    for (const effective_setting& each : view.settings) {
        if (each.section != section) {
            section = each.section;
            in.out.print("\n" + in.out.paint("[" + section + "]", tone::strong));
        }
        const std::string line = toml_line(each);
        const std::string comment = comment_of(each, view, with_origin);
        if (comment.empty()) {
            in.out.print(line);
        } else {
            const std::size_t width = display_width(line);
            in.out.print(line + std::string(std::max(widest, width) - width + 2, ' ') +
                         in.out.paint("# " + comment, tone::faint));
        }
    }
}

exit_code show_config(const session& in, const config_arguments& given) {
    const settings_view view = operate::read_settings(in.site, given.part);
    if (in.out.json()) {
        in.out.print_json(to_json(view));
    } else {
        print_toml(in, view, given.origin);
    }
    return exit_code::ok;
}

struct keys_arguments {
    std::string provider;
};

std::string values_text(const provider_option& of) {
    switch (of.what) {
        case provider_option::kind::whole:
            return fmt::format("{} … {}", of.lowest, of.highest);
        case provider_option::kind::choice:
            return fmt::format("{}", fmt::join(of.words, ", "));
        case provider_option::kind::flag:
            return "true, false";
        case provider_option::kind::text:
            return "text";
        case provider_option::kind::secret:
            return "text that is never shown";
        case provider_option::kind::table:
            return "table";
        case provider_option::kind::file:
        case provider_option::kind::database:
            break;
    }
    return "path";
}

exit_code show_keys(const session& in, const keys_arguments& given) {
    const std::vector<operate::provider_key> keys = operate::read_provider_keys(in.site.program, given.provider);
    if (in.out.json()) {
        in.out.print_json(operate::to_json(keys));
        return exit_code::ok;
    }
    table listing{{{"SECTION"}, {"PROVIDER"}, {"KEY"}, {"VALUES"}, {"DEFAULT"}, {"PURPOSE"}}};
    for (const auto& [section, provider, option] : keys) {
        listing.add({section, provider, std::string{option.key}, values_text(option), option.usual,
                     std::string{option.purpose}});
    }
    if (!keys.empty()) in.out.print(listing.render(in.out));
    return exit_code::ok;
}

}  // namespace

void add_config(command& root) {
    command config = root.add("config", "Look at the configuration");
    const auto shown = std::make_shared<config_arguments>();
    config.add("show", "Show every key with the value that holds; opens nothing")
        .optional_argument("SECTION", shown->part, "Only this section, or this key: outbox, outbox.retry.max_attempts")
        .flag("--origin", shown->origin, "With who sets it: the line of the file, a profile, a variable")
        .runs(show_config, shown);
    const auto known = std::make_shared<keys_arguments>();
    config.add("keys", "List the keys that only one provider understands; reads no configuration")
        .optional_argument("PROVIDER", known->provider, "Only those of this provider: redis")
        .runs(show_keys, known);
}

}  // namespace sluice::cli
