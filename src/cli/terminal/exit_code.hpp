#pragma once

namespace sluice::cli {

/// How a command ends, as scripts see it (docs/cli.md). A command that a signal ended early returns 128 + the signal.
enum class exit_code : int {
    ok = 0,
    failed = 1,         ///< the operation failed, wholly or in part: refused, not found
    usage = 2,          ///< the command line makes no sense
    configuration = 3,  ///< domain.toml or the declaration of the domain is wrong
    unavailable = 4,    ///< a database or broker is unreachable, not set up or outdated
    internal = 5        ///< a defect in Sluice or in the domain library
};

}  // namespace sluice::cli
