#pragma once

#include <functional>

#include <sluice/domain.hpp>

namespace sluice {

/// The whole `sluice` program with the domain linked in instead of loaded:
///
/// @code
/// int main(int argc, char** argv) { return sluice::run(argc, argv, shop::make_domain); }
/// @endcode
///
/// Takes the same commands and options as the `sluice` program (without `--domain`) and returns its exit code.
/// Needs the CMake target `sluice::app`.
[[nodiscard]] int run(int argc, const char* const* argv, const std::function<domain()>& factory);

}  // namespace sluice
