#include "cli/terminal/command_line.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <string_view>

#include "base/names.hpp"
#include "cli/terminal/failure.hpp"

namespace sluice::cli {

namespace {

/// What CLI::Range does, for an option whose help does not show its limits.
CLI::Validator quiet_range(limits allowed) {
    const auto complaint = [allowed](const std::string& text) -> std::string {
        int number = 0;
        if (!CLI::detail::lexical_cast(text, number)) return "must be a whole number";
        if (number < allowed.lowest) return "must be >= " + std::to_string(allowed.lowest);
        return number > allowed.highest ? "must be <= " + std::to_string(allowed.highest) : std::string{};
    };
    return {complaint, ""};
}

/// The program and the commands that were understood: `sluice outbox list`.
std::string path_of(const CLI::App& app) {
    std::string path = app.get_name();
    for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
        at = at->get_subcommands().front();
        path += " " + at->get_name();
    }
    return path;
}

std::vector<std::string> names_of_commands(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* each : app.get_subcommands(nullptr)) names.push_back(each->get_name());
    return names;
}

/// Options of a command and of all above it.
std::vector<std::string> names_of_options(const CLI::App* app) {
    std::vector<std::string> names;
    for (; app != nullptr; app = app->get_parent()) {
        for (const CLI::Option* each : app->get_options()) {
            for (const std::string& name : each->get_lnames()) names.push_back("--" + name);
        }
    }
    return names;
}

/// What the first word that makes no sense was probably meant to be; empty when nothing is near.
std::string suggestion(const CLI::App& root, int argc, const char* const* argv) {
    const CLI::App* at = &root;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--") return {};
        if (word.starts_with("--")) {
            const std::string name = word.substr(0, word.find('='));
            const std::vector<std::string> known = names_of_options(at);
            if (std::find(known.begin(), known.end(), name) != known.end()) {
                const CLI::Option* option = nullptr;
                for (const CLI::App* app = at; app != nullptr && option == nullptr; app = app->get_parent()) {
                    option = app->get_option_no_throw(name);
                }
                const bool takes_value = option != nullptr && option->get_items_expected_max() > 0;
                if (takes_value && name.size() == word.size()) ++i;
                continue;
            }
            const std::string nearest = base::suggest(name, known);
            return nearest.empty() ? std::string{} : "there is no " + name + "; did you mean " + nearest + "?";
        }
        if (word.starts_with("-")) continue;
        const std::vector<std::string> commands = names_of_commands(*at);
        if (commands.empty()) continue;  // an argument of the command
        if (std::find(commands.begin(), commands.end(), word) != commands.end()) {
            at = at->get_subcommand(word);
            continue;
        }
        const std::string nearest = base::suggest(word, commands);
        return nearest.empty() ? std::string{} : "there is no command `" + word + "`; did you mean `" + nearest + "`?";
    }
    return {};
}

/// What the parser shows for a number with limits: `UINT:INT in [1 - 64]`.
constexpr std::string_view of_limits = " in [";

std::string placeholder_of(const CLI::Option& option) {
    if (option.get_items_expected_max() == 0) return {};
    const std::string name = option.get_type_name();
    if (name.find(of_limits) != std::string::npos) return "N";
    return name.empty() ? "VALUE" : name;
}

/// With the limits of a number: `At most so many (1 - 64)`.
std::string purpose_of(const CLI::Option& option) {
    const std::string name = option.get_type_name();
    const auto limits = name.find(of_limits);
    if (limits == std::string::npos) return option.get_description();
    const std::string range = name.substr(limits + of_limits.size());
    return option.get_description() + " (" + range.substr(0, range.find(']')) + ")";
}

outlined_option outline_of(const CLI::Option& option) {
    outlined_option made{.names = {},
                         .placeholder = placeholder_of(option),
                         .purpose = purpose_of(option),
                         .variable = option.get_envname(),
                         .required = option.get_required()};
    if (option.get_positional()) {
        made.names.push_back(option.get_name());
        return made;
    }
    for (const std::string& each : option.get_snames()) made.names.push_back("-" + each);
    for (const std::string& each : option.get_lnames()) made.names.push_back("--" + each);
    return made;
}

command_outline outline_of(const CLI::App& app) {
    command_outline made{
        .name = app.get_name(), .purpose = app.get_description(), .options = {}, .arguments = {}, .commands = {}};
    for (const CLI::Option* each : app.get_options()) {
        (each->get_positional() ? made.arguments : made.options).push_back(outline_of(*each));
    }
    for (const CLI::App* each : app.get_subcommands(nullptr)) made.commands.push_back(outline_of(*each));
    return made;
}

}  // namespace

command command::add(const std::string& name, const std::string& purpose) {
    app_->require_subcommand(1);
    return {*app_->add_subcommand(name, purpose), *chosen_};
}

command& command::may_run_alone() {
    app_->require_subcommand(0, 1);
    return *this;
}

command& command::option(const std::string& name, const std::string& placeholder, std::string& value,
                         const std::string& purpose, const std::string& variable) {
    app_->add_option(name, value, purpose)->type_name(placeholder)->envname(variable);
    return *this;
}

command& command::option(const std::string& name, const std::string& placeholder, std::optional<std::string>& value,
                         const std::string& purpose) {
    app_->add_option(name, value, purpose)->type_name(placeholder);
    return *this;
}

command& command::option(const std::string& name, const std::string& placeholder, std::vector<std::string>& values,
                         const std::string& purpose) {
    app_->add_option(name, values, purpose)->type_name(placeholder)->allow_extra_args(false);
    return *this;
}

command& command::number(const std::string& name, std::optional<int>& value, limits allowed,
                         const std::string& purpose) {
    app_->add_option(name, value, purpose)->check(CLI::Range(allowed.lowest, allowed.highest));
    return *this;
}

command& command::number(const std::string& name, const std::string& placeholder, int& value, limits allowed,
                         const std::string& purpose) {
    app_->add_option(name, value, purpose)->type_name(placeholder)->check(quiet_range(allowed));
    return *this;
}

command& command::limit(std::size_t& value) {
    app_->add_option("--limit", value, "At most so many (default 100)")->check(CLI::Range(1, 100'000));
    return *this;
}

command& command::flag(const std::string& name, bool& value, const std::string& purpose) {
    app_->add_flag(name, value, purpose);
    return *this;
}

command& command::argument(const std::string& name, std::string& value, const std::string& purpose) {
    app_->add_option(name, value, purpose)->required();
    return *this;
}

command& command::optional_argument(const std::string& name, std::string& value, const std::string& purpose) {
    app_->add_option(name, value, purpose);
    return *this;
}

command& command::on_chosen(action run) {
    // A command above the one that was asked for is called back, too.
    app_->callback([app = app_, chosen = chosen_, run = std::move(run)] {
        if (app->get_subcommands().empty()) *chosen = run;
    });
    return *this;
}

command_line::command_line(const program_description& program)
    : app_{std::make_unique<CLI::App>(program.purpose, program.name)} {
    // Commands inherit both when they are added.
    app_->fallthrough();
    app_->footer(program.footer);
    app_->set_version_flag("--version", program.version);
}

command_line::~command_line() = default;

command command_line::root() { return {*app_, chosen_}; }

command_outline command_line::outline() const { return outline_of(*app_); }

action command_line::parse(int argc, const char* const* argv) {
    try {
        app_->parse(argc, argv);
    } catch (const CLI::Success& e) {
        return [code = app_->exit(e)](const session&) { return code; };  // --help, --version
    } catch (const CLI::ParseError& e) {
        const std::string meant = suggestion(*app_, argc, argv);
        const std::string message =
            (meant.empty() ? std::string{e.what()} : meant) + "\nTry `" + path_of(*app_) + " --help`";
        return [message](const session&) -> int { throw wrong_usage(message); };
    }
    return chosen_;
}

}  // namespace sluice::cli
