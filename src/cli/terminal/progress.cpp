#include "cli/terminal/progress.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>

#include "cli/terminal/units.hpp"

namespace sluice::cli {

namespace {

constexpr int bar_width = 24;

}  // namespace

std::string share_bar(double share) {
    const int full = static_cast<int>(std::lround(share * bar_width));
    std::string drawn;
    for (int i = 0; i < bar_width; ++i) drawn += i < full ? "█" : "░";
    return fmt::format("{} {:3.0f}%  ", drawn, share * 100);
}

std::string progress_line(const progress_state& state) {
    std::string line;
    if (state.total_bytes > 0) {
        line += share_bar(std::min(1.0, static_cast<double>(state.bytes) / static_cast<double>(state.total_bytes)));
    }
    line += fmt::format("{} done, {} failed", count_text(state.done), count_text(state.failed));
    if (state.elapsed.count() > 0) {
        const double rate = static_cast<double>(state.done + state.failed) / state.elapsed.count();
        line += fmt::format("  {}/s", count_text(std::llround(rate)));
    }
    return line;
}

progress_bar::progress_bar(int input_fd) {
    struct stat info {};
    if (fstat(input_fd, &info) == 0 && S_ISREG(info.st_mode)) total_bytes_ = static_cast<std::uint64_t>(info.st_size);
}

void progress_bar::update(std::int64_t done, std::int64_t failed, std::uint64_t bytes) {
    line_.update([&] { return progress_line({done, failed, bytes, total_bytes_, elapsed()}); });
}

}  // namespace sluice::cli
