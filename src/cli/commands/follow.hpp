#pragma once

#include <vector>

#include "cli/commands/log_tail.hpp"
#include "cli/commands/workspace.hpp"
#include "cli/terminal/exit_code.hpp"

namespace sluice::cli {

/// What a command with `--follow` shows. Both functions return false when the output wants no more.
class follower {
public:
    virtual ~follower() = default;

    /// Shows what is there, once, and moves every tail to where news begin.
    [[nodiscard]] virtual bool begin(std::vector<log_tail>& tails) = 0;
    /// Shows what is new in one database, and moves its tail.
    [[nodiscard]] virtual bool advance(log_tail& tail) = 0;
};

class follow_output;

/// Follows all databases until a signal comes or the reader of the output goes, which is no failure. A database that
/// goes away is told on standard error and tried again.
/// @throws store_error when one is away at the beginning
exit_code follow(const session& in, const installation& with, follower& what, follow_output& out);

}  // namespace sluice::cli
