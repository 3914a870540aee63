#pragma once

#include <cstddef>

#include "servers/pg_link.hpp"
#include "servers/private_servers.hpp"

namespace sluice::bench {

/// Seconds of CPU. Unlike the time that passes, they depend less on what else the machine does.
struct cpu_use {
    double program = 0;
    double postgresql = 0;  ///< of the connections
    double redis = 0;

    [[nodiscard]] double total() const noexcept { return program + postgresql + redis; }
};

/// So far, of this process alone.
[[nodiscard]] double program_cpu();

/// What is used from its making on.
class cpu_meter {
public:
    cpu_meter(const private_postgresql& postgresql, const private_redis& redis);

    /// Waits for the end of the connections that were made meanwhile: PostgreSQL counts them when they end.
    [[nodiscard]] cpu_use spent() const;

private:
    [[nodiscard]] cpu_use so_far() const;
    /// Processes of the server.
    [[nodiscard]] std::size_t processes() const;

    pg_link watching_;
    const private_redis& redis_;
    int postmaster_;
    std::size_t processes_;
    cpu_use begin_;
};

}  // namespace sluice::bench
