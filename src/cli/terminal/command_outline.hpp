#pragma once

#include <string>
#include <vector>

namespace sluice::cli {

/// An option or an argument of a command as it was defined.
struct outlined_option {
    std::vector<std::string> names{};  ///< `-y`, `--yes`; of an argument its one name: `MESSAGE_ID`
    std::string placeholder{};         ///< stands for the value: `FILE`; empty without a value
    std::string purpose{};
    std::string variable{};  ///< environment variable that is read when it is absent
    bool required = false;

    [[nodiscard]] bool takes_value() const noexcept { return !placeholder.empty(); }
    /// A value that is the name of a file or directory.
    [[nodiscard]] bool is_path() const {
        return placeholder.starts_with("FILE") || placeholder.starts_with("PATH") ||
               placeholder.starts_with("DIRECTORY");
    }
};

/// A command with all that is below it: what help, completion and manual pages are made of.
struct command_outline {
    std::string name{};
    std::string purpose{};
    std::vector<outlined_option> options{};  ///< its own; those of the commands above it hold, too
    std::vector<outlined_option> arguments{};
    std::vector<command_outline> commands{};
};

}  // namespace sluice::cli
