#include "cli/terminal/follow_output.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <string_view>
#include <system_error>

#include "cli/terminal/failure.hpp"

namespace sluice::cli {

namespace {

/// What the wait for standard output and for a signal has found.
struct output_state {
    bool takes = false;  ///< some bytes can be written without waiting
    bool is_gone = false;
    bool stopped = false;
};

output_state wait_for_output(int signals, bool to_write, int milliseconds) {
    std::array<pollfd, 2> waited{
        pollfd{.fd = STDOUT_FILENO, .events = static_cast<short>(to_write ? POLLOUT : 0), .revents = 0},
        pollfd{.fd = signals, .events = POLLIN, .revents = 0}};
    const int ready = ::poll(waited.data(), waited.size(), milliseconds);
    if (ready < 0 && errno != EINTR) {
        throw std::system_error{errno, std::generic_category(), "cannot wait for standard output"};
    }
    if (ready <= 0) return {};
    const auto found = [&](std::size_t which, int events) { return (waited.at(which).revents & events) != 0; };
    return {.takes = found(0, POLLOUT), .is_gone = found(0, POLLERR | POLLHUP | POLLNVAL), .stopped = found(1, POLLIN)};
}

}  // namespace

bool follow_output::line(std::string text) {
    text += '\n';
    for (std::string_view rest = text; !rest.empty();) {
        const output_state state = wait_for_output(stop_.fd(), true, -1);
        if (state.is_gone) return false;
        if (!state.takes) {
            if (state.stopped) return false;  // the reader has stopped reading, too
            continue;
        }
        const ssize_t count = ::write(STDOUT_FILENO, rest.data(), std::min<std::size_t>(rest.size(), PIPE_BUF));
        if (count >= 0) {
            rest.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno == EPIPE) {
            return false;
        } else if (errno != EINTR && errno != EAGAIN) {
            throw failure{exit_code::failed, "output_failed",
                          "standard output could not be written: " + std::generic_category().message(errno)};
        }
    }
    return !wait_for_output(stop_.fd(), false, 0).stopped;
}

bool follow_output::rest(std::chrono::milliseconds time) {
    const output_state state = wait_for_output(stop_.fd(), false, static_cast<int>(time.count()));
    return !state.is_gone && !state.stopped;
}

}  // namespace sluice::cli
