#pragma once

#include <string>

#include <fmt/format.h>

namespace sluice::testing {

/// What a service has in its `domain.toml` to send what it does to the receiver at a port of this machine, soon.
inline std::string telemetry_to(int port) {
    return fmt::format(R"([server.health]
port = 0
[telemetry]
enabled = true
endpoint = "http://127.0.0.1:{}"
delay_seconds = 0.05
metrics_interval_seconds = 0.2
shutdown_seconds = 30
)",
                       port);
}

}  // namespace sluice::testing
