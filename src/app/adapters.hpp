#pragma once

#include <span>

#include "broker/provider.hpp"
#include "store/provider.hpp"

namespace sluice::app {

/// The adapters of this build, in alphabetical order. CMake writes the list (`sluice_adapter`).
[[nodiscard]] std::span<const store::provider* const> stores();
[[nodiscard]] std::span<const broker::provider* const> brokers();

}  // namespace sluice::app
