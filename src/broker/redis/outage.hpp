#pragma once

#include <cstddef>
#include <string>

#include <sluice/error.hpp>

namespace sluice::broker::redis {

/// The server cannot be used now. `what()` is one line and holds no secret. The connection in use must be closed.
class outage : public broker_error {
public:
    explicit outage(const std::string& what) : broker_error{what, error_nature::retryable} {}
};

/// The server closed the connection because it does not take one command of a pipeline as it is.
class unacceptable_command : public outage {
public:
    unacceptable_command(const std::string& what, std::size_t index) : outage{what}, index_{index} {}
    /// Position in the pipeline.
    [[nodiscard]] std::size_t index() const noexcept { return index_; }

private:
    std::size_t index_;
};

}  // namespace sluice::broker::redis
