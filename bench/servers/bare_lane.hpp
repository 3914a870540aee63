#pragma once

#include <cstdint>

#include "servers/backlog.hpp"

namespace sluice::bench {

/// What the bare loop does with rows that were sent.
enum class settling {
    update,  ///< their status, as Sluice does
    remove
};

/// The limit: the lane's own statements in the binary pipeline of libpq and XADDs in a pipeline, without lease, order,
/// verdicts and rendering: every message has the same metadata. The last batch is settled and the next one read while
/// one is published.
/// @returns rows per second
[[nodiscard]] double drain_bare(const backlog& from, const std::string& target, std::uint16_t redis, int batch,
                                settling how);

}  // namespace sluice::bench
