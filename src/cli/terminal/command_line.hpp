#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/terminal/command_outline.hpp"

// The parser. Only command_line.cpp includes its header: whatever does takes seconds to compile.
namespace CLI {  // NOLINT(readability-identifier-naming): its name
class App;
}

namespace sluice::cli {

struct session;

/// What was asked for; runs after all arguments are read. Returns the exit code.
using action = std::function<int(const session&)>;

/// The smallest and the largest number that an option takes.
struct limits {
    int lowest = 0;
    int highest = 0;
};

/// A command while it is defined: its options, arguments and commands below it, in the order in which the help shows
/// them. The functions return the command itself, so that a definition reads like a table.
///
/// A `value` is written to during `command_line::parse`, and keeps what it is when the user gives none. Two options of
/// one name are a defect, for which the parser throws a std::exception.
///
/// Lifetime: refers to its command_line and can be copied freely. Values must outlive `command_line::parse`.
class command {
public:
    /// A command below this one. A command that has some cannot run without one of them, unless it `may_run_alone`.
    command add(const std::string& name, const std::string& purpose);
    /// After all commands below it were added.
    command& may_run_alone();

    /// An option with a text.
    /// @param placeholder  stands for the value in the help
    /// @param variable     environment variable that is read when the option is absent
    command& option(const std::string& name, const std::string& placeholder, std::string& value,
                    const std::string& purpose, const std::string& variable = {});
    command& option(const std::string& name, const std::string& placeholder, std::optional<std::string>& value,
                    const std::string& purpose);
    /// An option that may be given several times, with one text each.
    command& option(const std::string& name, const std::string& placeholder, std::vector<std::string>& values,
                    const std::string& purpose);
    /// An option with a whole number; the help shows its limits.
    command& number(const std::string& name, std::optional<int>& value, limits allowed, const std::string& purpose);
    /// The same, but the help shows the placeholder: the purpose tells the limits.
    command& number(const std::string& name, const std::string& placeholder, int& value, limits allowed,
                    const std::string& purpose);
    /// `--limit`, the same for everything that lists; the help says that `value` is 100 beforehand.
    command& limit(std::size_t& value);
    /// An option without a value.
    command& flag(const std::string& name, bool& value, const std::string& purpose);

    /// A word that must be there.
    command& argument(const std::string& name, std::string& value, const std::string& purpose);
    command& optional_argument(const std::string& name, std::string& value, const std::string& purpose);

    /// What the command does when it is the one asked for; the result is an exit code.
    template <class Result>
    command& runs(Result (*run)(const session&)) {
        return on_chosen([run](const session& in) { return static_cast<int>(run(in)); });
    }
    /// @param given  holds the values above; the action keeps it alive
    template <class Result, class Given>
    command& runs(Result (*run)(const session&, const Given&), std::shared_ptr<Given> given) {
        return on_chosen(
            [run, given = std::move(given)](const session& in) { return static_cast<int>(run(in, *given)); });
    }

private:
    friend class command_line;

    command(CLI::App& app, action& chosen) : app_{&app}, chosen_{&chosen} {}

    command& on_chosen(action run);

    CLI::App* app_;
    action* chosen_;
};

/// What the help says of the program as a whole.
struct program_description {
    std::string name;
    std::string purpose;
    std::string version;  ///< what `--version` prints
    std::string footer;   ///< ends the help of every command
};

/// The commands of a program, and the reading of its arguments.
class command_line {
public:
    explicit command_line(const program_description& program);
    ~command_line();
    command_line(const command_line&) = delete;
    command_line& operator=(const command_line&) = delete;

    /// What all commands are added to. Its options may follow any command.
    [[nodiscard]] command root();

    /// All that was defined so far. The name is that of the program.
    [[nodiscard]] command_outline outline() const;

    /// Finds out what the user asks for. Once, after all commands are defined.
    ///
    /// Does not throw when the arguments make no sense: it is the action that throws failure (usage), so that flags
    /// which say how to show an error have been read before. `--help` and `--version` are answered at once, on standard
    /// output, and leave nothing to do.
    [[nodiscard]] action parse(int argc, const char* const* argv);

private:
    std::unique_ptr<CLI::App> app_;
    action chosen_;
};

}  // namespace sluice::cli
