#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::cli {

/// Reads lines from a file, a pipe or a terminal as they come; holds at most one line in memory.
///
/// Thread safety: none.
class line_reader {
public:
    enum class outcome {
        line,
        too_long,  ///< the line was skipped
        end,
        interrupted,  ///< the second file descriptor became readable while nothing was left to read
    };

    /// @param interrupt_fd  ends the wait for more input when it becomes readable; -1 for none
    line_reader(int fd, int interrupt_fd, std::size_t longest_line)
        : fd_{fd}, interrupt_fd_{interrupt_fd}, longest_line_{longest_line} {}

    /// The next line without its line break; the text is valid until the next call. The last line needs no line break.
    /// @throws std::system_error when the input cannot be read
    [[nodiscard]] outcome next(std::string_view& line);

    /// Bytes of the lines handed out so far.
    [[nodiscard]] std::uint64_t consumed() const noexcept { return consumed_; }

private:
    enum class filled { more, end, interrupted };
    [[nodiscard]] filled fill();

    int fd_;
    int interrupt_fd_;
    std::size_t longest_line_;
    std::string buffer_;
    std::size_t begin_ = 0;    // of the unread part of the buffer
    std::size_t scanned_ = 0;  // up to here there is no line break
    bool skipping_ = false;    // in the rest of a line that is too long
    std::uint64_t consumed_ = 0;
};

}  // namespace sluice::cli
