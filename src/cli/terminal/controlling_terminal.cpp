#include "cli/terminal/controlling_terminal.hpp"

#include <fcntl.h>
#include <poll.h>

namespace sluice::cli {

controlling_terminal::controlling_terminal() : fd_{::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)} {}

bool controlling_terminal::has_hung_up() const noexcept {
    if (!fd_) return false;
    pollfd asked{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    return ::poll(&asked, 1, 0) > 0 && (asked.revents & (POLLHUP | POLLERR)) != 0;
}

}  // namespace sluice::cli
