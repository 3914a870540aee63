#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "cli/terminal/rewritten_line.hpp"
#include "projection/rebuild.hpp"

namespace sluice::cli {

/// `order_summary  ████████████░░░░░░░░░░░░  50%  1,200 of 2,400  600 events/s`, and who it waits for.
[[nodiscard]] std::string rebuild_line(const std::string& read_model, const projection::rebuild_progress& now,
                                       std::chrono::duration<double> elapsed);

/// The line of a rebuild. Without a terminal: silent, as the log then tells.
///
/// Thread safety: none.
class rebuild_display {
public:
    explicit rebuild_display(std::string read_model) : read_model_{std::move(read_model)} {}

    void show(const projection::rebuild_progress& now);
    void clear() noexcept { line_.clear(); }
    [[nodiscard]] std::chrono::duration<double> elapsed() const { return line_.elapsed(); }

private:
    std::string read_model_;
    rewritten_line line_;
};

}  // namespace sluice::cli
