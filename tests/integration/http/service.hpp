#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "integration/cli_program.hpp"
#include "integration/http/http_client.hpp"
#include "integration/tiny_project.hpp"
#include "support/eventually.hpp"
#include "support/free_port.hpp"

namespace sluice::testing {

/// The tiny domain's project, whose probes are on ports that were free a moment ago.
class tiny_service : public tiny_project {
protected:
    tiny_service() { configure_server(""); }

    /// @param more  lines of `[server]`
    void configure_server(const std::string& more) const {
        configure(std::string{tiny_configuration} + "health.port = " + std::to_string(port_) + "\n" + more);
    }
    [[nodiscard]] http_response get(std::string_view path, int worker = 0) const {
        return http_get(static_cast<std::uint16_t>(port_ + worker), path);
    }
    [[nodiscard]] static bool soon(const std::function<bool()>& holds) { return eventually(holds); }

    std::uint16_t port_ = free_port(3);
};

}  // namespace sluice::testing
