#pragma once

#include <sys/types.h>

namespace sluice::testing {

/// Stops a process (SIGSTOP) and returns when none of its threads runs any more. On a busy machine that takes a while,
/// in which a server goes on answering.
/// @throws std::runtime_error  it did not stop within a minute
void freeze_process(pid_t process);

}  // namespace sluice::testing
