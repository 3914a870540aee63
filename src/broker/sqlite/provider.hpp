#pragma once

#include "broker/provider.hpp"

namespace sluice::broker {

[[nodiscard]] const provider& sqlite_provider();

}  // namespace sluice::broker
