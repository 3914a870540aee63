#include <memory>
#include <utility>

#include "cli/commands/commands.hpp"
#include "cli/terminal/completion.hpp"

namespace sluice::cli {

namespace {

struct completion_arguments {
    const command_line* line;
    std::string program;  ///< as people call it
};

command_outline outline_of(const completion_arguments& given) {
    command_outline program = given.line->outline();
    program.name = given.program;
    return program;
}

exit_code print_bash(const session& in, const completion_arguments& given) {
    in.out.print(bash_completion(outline_of(given)));
    return exit_code::ok;
}

exit_code print_zsh(const session& in, const completion_arguments& given) {
    in.out.print(zsh_completion(outline_of(given)));
    return exit_code::ok;
}

exit_code print_fish(const session& in, const completion_arguments& given) {
    in.out.print(fish_completion(outline_of(given)));
    return exit_code::ok;
}

}  // namespace

void add_completion(command& root, const command_line& line, std::string program) {
    const auto given = std::make_shared<completion_arguments>(completion_arguments{&line, std::move(program)});
    command completion = root.add("completion", "Print a script that lets a shell complete commands and options");
    completion.add("bash", "For bash: source it, for example from ~/.bashrc").runs(print_bash, given);
    completion.add("zsh", "For zsh: source it after compinit, or save it as _NAME in a directory of fpath")
        .runs(print_zsh, given);
    completion.add("fish", "For fish: save it as ~/.config/fish/completions/NAME.fish").runs(print_fish, given);
}

}  // namespace sluice::cli
