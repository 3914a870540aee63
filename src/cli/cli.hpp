#pragma once

#include "operate/host.hpp"

namespace sluice::cli {

/// The whole command line: reads the arguments, runs one command, returns its exit code. Never throws.
/// Call it before the process has other threads: `server` and `process -` wait for SIGINT and SIGTERM.
[[nodiscard]] int run_cli(int argc, const char* const* argv, const operate::host& host) noexcept;

}  // namespace sluice::cli
