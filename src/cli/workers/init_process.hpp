#pragma once

#include <optional>

namespace sluice::cli {

/// The first process of a container has two duties that others do not have: to bury processes whose parents are gone,
/// and to hand on signals that the kernel otherwise ignores for it. When this process is the first one, it goes on in a
/// child, and stays behind for these duties.
///
/// Call it before there are threads.
///
/// @return in the first process, when the child has ended: its exit code. Nothing in the child, and in every other
/// process
[[nodiscard]] std::optional<int> stay_behind_as_init();

}  // namespace sluice::cli
