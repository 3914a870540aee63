#include "cli/terminal/stop_signals.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

namespace sluice::cli {

stop_signals::stop_signals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    // A terminal that goes away asks for the same orderly end, unless `nohup` has said that it does not matter.
    struct sigaction hang_up {};
    const bool ignored = sigaction(SIGHUP, nullptr, &hang_up) == 0 && hang_up.sa_handler == SIG_IGN;
    if (!ignored) sigaddset(&signals_, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    fd_ = base::unique_fd{signalfd(-1, &signals_, SFD_CLOEXEC | SFD_NONBLOCK)};
    if (fd_.get() < 0) throw std::system_error{errno, std::generic_category(), "cannot wait for signals"};
}

std::optional<int> stop_signals::poll() noexcept {
    signalfd_siginfo info{};
    if (read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return std::nullopt;
    return static_cast<int>(info.ssi_signo);
}

int stop_signals::wait() {
    while (true) {
        if (const auto signal = poll()) return *signal;
        static_cast<void>(wait_for(-1));
    }
}

std::optional<int> stop_signals::wait(std::optional<std::chrono::milliseconds> patience) {
    if (!patience) return wait();
    static_cast<void>(wait_for(static_cast<int>(patience->count())));
    return poll();
}

bool stop_signals::wait_for(int milliseconds) {
    pollfd waited{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    const int ready = ::poll(&waited, 1, milliseconds);
    if (ready < 0 && errno != EINTR) {
        throw std::system_error{errno, std::generic_category(), "cannot wait for signals"};
    }
    return ready > 0;
}

void stop_signals::release() {
    constexpr int echo_milliseconds = 100;
    while (wait_for(echo_milliseconds)) static_cast<void>(poll());
    for (const int each : {SIGINT, SIGTERM, SIGHUP}) {
        if (sigismember(&signals_, each) == 1) std::signal(each, SIG_DFL);
    }
    pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
}

}  // namespace sluice::cli
