#pragma once

namespace sluice::app {

/// The `sluice` program: domains are loaded from the library that `--domain` names.
[[nodiscard]] int run_program(int argc, const char* const* argv);

}  // namespace sluice::app
