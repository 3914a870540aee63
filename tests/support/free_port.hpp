#pragma once

#include <cstdint>

namespace sluice::testing {

/// A port of 127.0.0.1 that was free a moment ago, and so were the `following` after it. It is none of those that the
/// kernel gives to clients: one of these may be gone while a server starts, or while it is away and comes back.
[[nodiscard]] std::uint16_t free_port(int following = 0);

}  // namespace sluice::testing
