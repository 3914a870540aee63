#pragma once

#include <string>

#include <sluice/time.hpp>

#include "telemetry/delivery.hpp"

namespace sluice::telemetry {

/// The way to a receiver.
///
/// Thread safety: `post` is used by one thread at a time, `abort` by any.
class transport {
public:
    virtual ~transport() = default;

    /// Sends one request and waits for its answer, no longer than `timeout`. Never throws for the network's behaviour.
    /// @param path  below the endpoint: `/v1/traces`
    /// @param body  JSON
    [[nodiscard]] virtual answer post(const std::string& path, const std::string& body, duration timeout) = 0;

    /// What is under way ends soon, and so does everything later.
    virtual void abort() noexcept = 0;
};

}  // namespace sluice::telemetry
