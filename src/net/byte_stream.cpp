#include "net/byte_stream.hpp"

#include <cerrno>
#include <system_error>

#include <poll.h>
#include <sys/socket.h>

#include "net/outage.hpp"

namespace sluice::net {

std::size_t socket_stream::read(std::span<char> into) {
    for (;;) {
        const auto got = ::recv(socket_.get(), into.data(), into.size(), 0);
        if (got > 0) return static_cast<std::size_t>(got);
        if (got == 0) throw outage{"the server closed the connection"};
        if (errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) {
            throw outage{"the connection broke: " + std::generic_category().message(errno)};
        }
        wanted_ = POLLIN;
        return 0;
    }
}

std::size_t socket_stream::write(std::string_view bytes) {
    for (;;) {
        const auto taken = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (taken >= 0) return static_cast<std::size_t>(taken);
        if (errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) {
            throw outage{"the connection broke: " + std::generic_category().message(errno)};
        }
        wanted_ = POLLOUT;
        return 0;
    }
}

void wait_until_ready(const byte_stream& stream, short events, const deadline& until) {
    if (!until.wait_for(stream.fd(), events)) throw outage{"the server did not answer in time"};
}

}  // namespace sluice::net
