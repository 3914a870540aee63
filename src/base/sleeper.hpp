#pragma once

#include <sluice/time.hpp>

namespace sluice::base {

/// Who lets a thread wait. Injected like the clock, so that no test waits for real time.
class sleeper {
public:
    virtual ~sleeper() = default;

    /// Returns when the time has passed; at once when it is not positive.
    virtual void sleep(duration time) = 0;
};

/// Lets the calling thread sleep.
///
/// Thread safety: one instance serves the whole process, concurrently.
[[nodiscard]] sleeper& system_sleeper();

}  // namespace sluice::base
