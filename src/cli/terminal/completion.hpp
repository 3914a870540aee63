#pragma once

#include <string>

#include "cli/terminal/command_outline.hpp"

/// Scripts with which shells complete a program's commands and options. Each is made from the definitions, stands alone
/// (nothing but the shell is needed) and starts the program never. Pure.
namespace sluice::cli {

/// To be sourced, or put where bash-completion looks: `/usr/share/bash-completion/completions/NAME`.
[[nodiscard]] std::string bash_completion(const command_outline& program);
/// To be put as `_NAME` into a directory of `fpath`, or sourced after `compinit`.
[[nodiscard]] std::string zsh_completion(const command_outline& program);
/// To be sourced, or put into `/usr/share/fish/vendor_completions.d/NAME.fish`.
[[nodiscard]] std::string fish_completion(const command_outline& program);

}  // namespace sluice::cli
