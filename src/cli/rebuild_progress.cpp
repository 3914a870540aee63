#include "cli/rebuild_progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <utility>

#include "cli/progress.hpp"
#include "cli/units.hpp"

namespace sluice::cli {

namespace {

constexpr std::chrono::milliseconds interval{100};

}  // namespace

std::string rebuild_line(const std::string& read_model, const consume::rebuild_progress& now,
                         std::chrono::duration<double> elapsed) {
    const double share = now.head > 0 ? static_cast<double>(now.position) / static_cast<double>(now.head) : 1;
    std::string line =
        fmt::format("{}  {}{} of {}", read_model, share_bar(share), count_text(now.position), count_text(now.head));
    if (elapsed.count() > 0) {
        line +=
            fmt::format("  {} events/s", count_text(std::llround(static_cast<double>(now.events) / elapsed.count())));
    }
    if (now.waiting_for > 0) {
        line +=
            fmt::format("  waits for {}", count_of(static_cast<std::int64_t>(now.waiting_for),
                                                   "transaction that writes events", "transactions that write events"));
    }
    return line;
}

rebuild_display::rebuild_display(std::string read_model)
    : read_model_{std::move(read_model)}, on_terminal_{isatty(STDERR_FILENO) == 1} {}

void rebuild_display::show(const consume::rebuild_progress& now) {
    const auto time = std::chrono::steady_clock::now();
    if (!on_terminal_ || time < next_) return;
    next_ = time + interval;
    visible_ = true;
    std::fprintf(stderr, "\r\x1b[K%s", rebuild_line(read_model_, now, elapsed()).c_str());
    std::fflush(stderr);
}

void rebuild_display::clear() noexcept {
    if (!visible_) return;
    visible_ = false;
    std::fputs("\r\x1b[K", stderr);
    std::fflush(stderr);
}

}  // namespace sluice::cli
