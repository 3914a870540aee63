#pragma once

#include <chrono>

#include <sluice/time.hpp>

namespace sluice::base {

/// With the fraction, as metrics and JSON want it.
[[nodiscard]] constexpr double seconds(duration d) { return std::chrono::duration<double>{d}.count(); }

}  // namespace sluice::base
