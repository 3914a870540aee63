#include "net/deadline.hpp"

#include <array>
#include <cerrno>
#include <system_error>

#include <poll.h>

#include "net/outage.hpp"

namespace sluice::net {

bool deadline::wait_for(int socket, short events) const {
    while (!passed()) {
        // A negative descriptor is passed over.
        std::array<pollfd, 2> sources{
            pollfd{.fd = socket, .events = events, .revents = 0},
            pollfd{.fd = haste_ == nullptr ? -1 : haste_->fd(), .events = POLLIN, .revents = 0}};
        const int ready = ::poll(sources.data(), sources.size(), poll_milliseconds());
        if (ready < 0 && errno != EINTR) throw outage{"poll failed: " + std::generic_category().message(errno)};
        if (ready > 0 && sources[0].revents != 0) return true;
    }
    return false;
}

}  // namespace sluice::net
