#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "cli/terminal/rewritten_line.hpp"

namespace sluice::cli {

/// `████████████░░░░░░░░░░░░  50%  `.
/// @param share  0 to 1
[[nodiscard]] std::string share_bar(double share);

/// How far a run over many lines has come.
struct progress_state {
    std::int64_t done = 0;
    std::int64_t failed = 0;
    std::uint64_t bytes = 0;        ///< of the input, consumed
    std::uint64_t total_bytes = 0;  ///< 0 when nobody knows
    std::chrono::duration<double> elapsed{0};
};

/// `████████░░░░░░░░ 50%  1,200 done, 3 failed  2,400/s`; without a total the bar is left out.
[[nodiscard]] std::string progress_line(const progress_state& state);

/// The line of a run over many lines.
///
/// Thread safety: none.
class progress_bar {
public:
    /// @param input_fd  its size is the total when it is a file
    explicit progress_bar(int input_fd);

    void update(std::int64_t done, std::int64_t failed, std::uint64_t bytes);
    /// Takes the line away, so that something else can be written.
    void clear() noexcept { line_.clear(); }
    [[nodiscard]] std::chrono::duration<double> elapsed() const { return line_.elapsed(); }

private:
    rewritten_line line_;
    std::uint64_t total_bytes_ = 0;
};

}  // namespace sluice::cli
