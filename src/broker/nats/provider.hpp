#pragma once

#include "broker/provider.hpp"

namespace sluice::broker {

[[nodiscard]] const provider& nats_provider();

}  // namespace sluice::broker
