#pragma once

#include "broker/provider.hpp"

namespace sluice::broker {

[[nodiscard]] const provider& kafka_provider();

}  // namespace sluice::broker
