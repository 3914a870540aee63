#include "net/deadline.hpp"

#include <array>
#include <cerrno>
#include <system_error>

#include <poll.h>

#include "net/outage.hpp"

namespace sluice::net {
namespace {

[[noreturn]] void fail_to_wait() { throw outage{"poll failed: " + std::generic_category().message(errno)}; }

}  // namespace

bool deadline::wait_for(int socket, short events) const {
    while (!passed()) {
        // A negative descriptor is passed over.
        std::array<pollfd, 2> sources{
            pollfd{.fd = socket, .events = events, .revents = 0},
            pollfd{.fd = haste_ == nullptr ? -1 : haste_->fd(), .events = POLLIN, .revents = 0}};
        const int ready = ::poll(sources.data(), sources.size(), poll_milliseconds());
        if (ready < 0 && errno != EINTR) fail_to_wait();
        if (ready > 0 && sources[0].revents != 0) return true;
    }
    return false;
}

void deadline::sleep() const {
    constexpr int nothing = -1;
    static_cast<void>(wait_for(nothing, 0));
}

base::wake_reason wait_for_either(base::wake_signal& signal, int socket, short events, const deadline& until) {
    for (;;) {
        std::array<pollfd, 2> sources{pollfd{.fd = signal.fd(), .events = POLLIN, .revents = 0},
                                      pollfd{.fd = socket, .events = events, .revents = 0}};
        const int ready = ::poll(sources.data(), sources.size(), until.poll_milliseconds());
        if (ready < 0 && errno == EINTR) continue;
        if (ready < 0) fail_to_wait();
        if (ready == 0) return base::wake_reason::timed_out;
        if (sources[0].revents == 0) return base::wake_reason::file_changed;
        signal.drain();
        return base::wake_reason::signalled;
    }
}

}  // namespace sluice::net
