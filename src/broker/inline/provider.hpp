#pragma once

#include "broker/provider.hpp"

namespace sluice::broker {

[[nodiscard]] const provider& inline_provider();

}  // namespace sluice::broker
