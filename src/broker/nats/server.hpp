#pragma once

#include <chrono>
#include <cstddef>

#include "broker/nats/endpoint.hpp"
#include "broker/nats/handles.hpp"
#include "broker/nats/nats_broker.hpp"

namespace sluice::broker::nats {

/// The configured servers, and what each connection to one of them begins with.
///
/// Thread safety: may be used concurrently.
class server {
public:
    /// @throws configuration_error
    explicit server(nats_options options);

    [[nodiscard]] const nats_options& options() const noexcept { return options_; }
    [[nodiscard]] const endpoint& location() const noexcept { return location_; }

    /// What libnats wants to know for one host. Files of secrets and certificates are read anew each time, so what was
    /// exchanged counts from the next connection on.
    /// @param name  of the connection, for people who look at the server
    /// @throws outage  a file cannot be read
    [[nodiscard]] options_handle options_for(const endpoint::host& at, const char* name) const;

private:
    void add_login(natsOptions* to) const;
    void add_tls(natsOptions* to, const endpoint::host& at) const;

    nats_options options_;
    endpoint location_;
};

/// A server that says nothing for so long, although it is pinged every third of it, is given up.
inline constexpr std::chrono::milliseconds longest_server_silence{15'000};

/// Why a call of the library failed, in one line: its own text, bounded.
[[nodiscard]] std::string reason_of(natsStatus status);

}  // namespace sluice::broker::nats
