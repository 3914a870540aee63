#pragma once

#include "store/provider.hpp"

namespace sluice::store {

[[nodiscard]] const provider& sqlite_provider();

}  // namespace sluice::store
