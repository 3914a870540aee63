#pragma once

#include <string>

namespace sluice::testing {

/// Runs a shell command and returns what it printed. @throws std::runtime_error with its output when it fails
std::string run_command(const std::string& command);
/// As one word of a shell command.
[[nodiscard]] std::string shell_word(const std::string& word);

}  // namespace sluice::testing
