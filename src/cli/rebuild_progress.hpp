#pragma once

#include <chrono>
#include <string>

#include "consume/projection_rebuild.hpp"

namespace sluice::cli {

/// `order_summary  ████████████░░░░░░░░░░░░  50%  1,200 of 2,400  600 events/s`, and who it waits for.
[[nodiscard]] std::string rebuild_line(const std::string& read_model, const consume::rebuild_progress& now,
                                       std::chrono::duration<double> elapsed);

/// One line on standard error that is rewritten in place, at most ten times a second. Without a terminal: silent, as
/// the log then tells.
///
/// Thread safety: none.
class rebuild_display {
public:
    explicit rebuild_display(std::string read_model);
    rebuild_display(const rebuild_display&) = delete;
    rebuild_display& operator=(const rebuild_display&) = delete;
    ~rebuild_display() { clear(); }

    void show(const consume::rebuild_progress& now);
    void clear() noexcept;
    [[nodiscard]] std::chrono::duration<double> elapsed() const { return std::chrono::steady_clock::now() - begin_; }

private:
    std::string read_model_;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point next_ = begin_;
    bool on_terminal_;
    bool visible_ = false;
};

}  // namespace sluice::cli
