#include "support/freeze.hpp"

#include <string>

#include "support/shell.hpp"

namespace sluice::testing {

void freeze_process(pid_t process) { run_command(shell_word(FREEZE_SCRIPT) + ' ' + std::to_string(process)); }

}  // namespace sluice::testing
