#pragma once

#include <sluice/json.hpp>

#include "console/router.hpp"

namespace sluice::console {

/// The OpenAPI 3.1 document of the named routes below `/api/v1`. Pure.
[[nodiscard]] json::object openapi_document(const std::vector<route>& routes);

}  // namespace sluice::console
