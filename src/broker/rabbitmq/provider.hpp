#pragma once

#include "broker/provider.hpp"

namespace sluice::broker {

[[nodiscard]] const provider& rabbitmq_provider();

}  // namespace sluice::broker
