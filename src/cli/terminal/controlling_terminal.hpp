#pragma once

#include "base/unique_fd.hpp"

namespace sluice::cli {

/// The terminal that this process was started from, if any. It tells a SIGHUP that means the end of the terminal from
/// one by which somebody asks to read the configuration again.
///
/// Thread safety: const members may be called concurrently.
class controlling_terminal {
public:
    controlling_terminal();

    /// True when there was one and it is gone.
    [[nodiscard]] bool has_hung_up() const noexcept;

private:
    base::unique_fd fd_;  ///< kept open: what the kernel takes a terminal away from, it also says so
};

}  // namespace sluice::cli
