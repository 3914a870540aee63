#include "cli/terminal/rewritten_line.hpp"

#include <unistd.h>

#include <cstdio>

namespace sluice::cli {

namespace {

constexpr std::chrono::milliseconds shortest_pause{100};
constexpr const char* erase = "\r\x1b[K";

}  // namespace

rewritten_line::rewritten_line() : on_terminal_{isatty(STDERR_FILENO) == 1} {}

bool rewritten_line::is_due() {
    const auto now = std::chrono::steady_clock::now();
    if (!on_terminal_ || now < next_) return false;
    next_ = now + shortest_pause;
    return true;
}

void rewritten_line::show(const std::string& text) {
    visible_ = true;
    std::fprintf(stderr, "%s%s", erase, text.c_str());
    std::fflush(stderr);
}

void rewritten_line::clear() noexcept {
    if (!visible_) return;
    visible_ = false;
    std::fputs(erase, stderr);
    std::fflush(stderr);
}

}  // namespace sluice::cli
