#pragma once

#include "store/provider.hpp"

namespace sluice::store {

[[nodiscard]] const provider& memory_provider();

}  // namespace sluice::store
