#pragma once

#include "cli/commands/workspace.hpp"

namespace sluice::cli {

constexpr int most_workers = 64;

/// `sluice server --workers N`: runs N processes of this program and starts again those that die, until SIGTERM or
/// SIGINT, which it hands on. Serves probes of its own about them on `server.health.port`; worker i has the port after
/// it by i.
///
/// Returns when no worker lives any more; what does not end in its time is killed.
/// @returns the exit code, see worker_roster
/// @throws configuration_error when the configuration cannot be run by several processes, or the port cannot be had
[[nodiscard]] int supervise(const session& in, int workers);

}  // namespace sluice::cli
