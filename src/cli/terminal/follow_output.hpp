#pragma once

#include <chrono>
#include <string>

#include "cli/terminal/stop_signals.hpp"

namespace sluice::cli {

/// Standard output of a command that goes on until it is stopped. Each line leaves at once.
///
/// Nothing else may write to standard output meanwhile. Thread safety: belongs to one thread.
class follow_output {
public:
    /// @param stop  outlives this object
    explicit follow_output(const stop_signals& stop) : stop_{stop} {}

    /// Writes a line, for as long as its reader needs. False when the command has to end: a signal has come, or nobody
    /// reads any more.
    /// @throws failure when standard output cannot take the line (a full disk)
    [[nodiscard]] bool line(std::string text);
    /// Waits. False, and earlier, when the command has to end.
    [[nodiscard]] bool rest(std::chrono::milliseconds time);

private:
    const stop_signals& stop_;
};

}  // namespace sluice::cli
