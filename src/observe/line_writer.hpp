#pragma once

#include <functional>
#include <memory>
#include <string>

#include <sluice/time.hpp>

#include "observe/line_queue.hpp"

namespace sluice::observe {

/// Writes lines to a file descriptor by a thread of its own, so that nobody waits for whoever reads them: a pipe that
/// is full, a terminal that is stopped, a disk without room, a reader that is gone. Each line up to 4 KiB is one
/// `write`.
///
/// Thread safety: all members may be called concurrently.
class line_writer {
public:
    /// The line that tells how many are missing, with its line end.
    using missing_line = std::function<std::string(std::uint64_t missing)>;

    /// The thread begins with the first line.
    /// @param fd  stays the caller's; it may be invalid, and must not be closed before this object is gone
    line_writer(int fd, missing_line tell, const queue_limits& limits = {});
    line_writer(const line_writer&) = delete;
    line_writer& operator=(const line_writer&) = delete;
    /// What is not written yet is dropped. Does not wait for the thread, which may be inside a `write`.
    ~line_writer();

    /// Never waits for the reader, never throws.
    /// @param line  with its line end
    void write(std::string line) noexcept;
    /// Waits until all lines are written or dropped, but not longer than this. True when none is left.
    bool flush(duration patience) noexcept;
    /// Lines that were dropped so far.
    [[nodiscard]] std::uint64_t dropped() const noexcept;

private:
    struct state;
    std::shared_ptr<state> state_;  ///< shared with the thread, which may outlive this object
};

}  // namespace sluice::observe
