#include "cli/commands/rebuild_progress.hpp"

#include <fmt/format.h>

#include <cmath>

#include "cli/terminal/progress.hpp"
#include "cli/terminal/units.hpp"

namespace sluice::cli {

std::string rebuild_line(const std::string& read_model, const projection::rebuild_progress& now,
                         std::chrono::duration<double> elapsed) {
    const double share = now.head > 0 ? static_cast<double>(now.position) / static_cast<double>(now.head) : 1;
    std::string line =
        fmt::format("{}  {}{} of {}", read_model, share_bar(share), count_text(now.position), count_text(now.head));
    if (elapsed.count() > 0) {
        line +=
            fmt::format("  {} events/s", count_text(std::llround(static_cast<double>(now.events) / elapsed.count())));
    }
    if (now.waiting_for > 0) {
        line += fmt::format("  waits for {}", count_of(now.waiting_for, "transaction that writes events",
                                                       "transactions that write events"));
    }
    return line;
}

void rebuild_display::show(const projection::rebuild_progress& now) {
    line_.update([&] { return rebuild_line(read_model_, now, elapsed()); });
}

}  // namespace sluice::cli
