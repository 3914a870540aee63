#pragma once

#include <memory>
#include <string>

#include "config/configuration.hpp"
#include "telemetry/transport.hpp"

namespace sluice::telemetry {

/// HTTP and HTTPS, over one connection that is kept. A proxy of the environment (`https_proxy`, `no_proxy`) is used.
/// Redirects are not followed: the headers may hold a secret.
class http_transport final : public transport {
public:
    /// @throws error when the library cannot be set up
    explicit http_transport(const config::telemetry_settings& to);
    ~http_transport() override;

    [[nodiscard]] answer post(const std::string& path, const std::string& body, duration timeout) override;
    void abort() noexcept override;

private:
    struct handles;
    std::unique_ptr<handles> handles_;
};

}  // namespace sluice::telemetry
