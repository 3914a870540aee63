#include "cli/command_line.hpp"

#include <CLI/CLI.hpp>

#include "cli/failure.hpp"

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

}  // namespace

command command::add(const std::string& name, const std::string& purpose) {
    app_->require_subcommand(1);
    return {*app_->add_subcommand(name, purpose), *chosen_};
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
    app_->callback([chosen = chosen_, run = std::move(run)] { *chosen = run; });
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

action command_line::parse(int argc, const char* const* argv) {
    try {
        app_->parse(argc, argv);
    } catch (const CLI::Success& e) {
        return [code = app_->exit(e)](const session&) { return code; };  // --help, --version
    } catch (const CLI::ParseError& e) {
        const std::string message = std::string{e.what()} + "\nTry `" + path_of(*app_) + " --help`";
        return [message](const session&) -> int { throw wrong_usage(message); };
    }
    return chosen_;
}

}  // namespace sluice::cli
