#pragma once

#include <cstddef>
#include <string>

#include "net/outage.hpp"

namespace sluice::broker::redis {

using net::outage;

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
