#pragma once

#include "broker/provider.hpp"

namespace sluice::broker {

[[nodiscard]] const provider& redis_provider();

}  // namespace sluice::broker
