#pragma once

#include "broker/provider.hpp"

namespace sluice::broker {

[[nodiscard]] const provider& webhook_provider();

}  // namespace sluice::broker
