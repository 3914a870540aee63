#pragma once

#include <vector>

#include "operate/log_tail.hpp"

namespace sluice::operate {

/// Gives its reader what there is in the logs of several databases, and then what comes. Both functions return false
/// when the reader wants no more.
class log_feed {
public:
    virtual ~log_feed() = default;

    /// Gives what is there, once, and moves every tail to where news begin.
    [[nodiscard]] virtual bool begin(std::vector<log_tail>& tails) = 0;
    /// Gives what is new in one database, and moves its tail.
    [[nodiscard]] virtual bool advance(log_tail& tail) = 0;
};

}  // namespace sluice::operate
