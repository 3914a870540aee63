#pragma once

#include <string>

#include <sluice/error.hpp>

namespace sluice::net {

/// The server cannot be used now. `what()` is one line and holds no secret. The connection in use must be closed.
class outage : public broker_error {
public:
    explicit outage(const std::string& what) : broker_error{what, error_nature::retryable} {}
};

}  // namespace sluice::net
