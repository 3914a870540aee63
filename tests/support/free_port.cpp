#include "support/free_port.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <random>
#include <stdexcept>

#include "base/unique_fd.hpp"

namespace sluice::testing {
namespace {

bool is_free(std::uint16_t port) {
    const base::unique_fd probe{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const int yes = 1;
    ::setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::bind(probe.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
}

}  // namespace

std::uint16_t free_port(int following) {
    std::random_device random;
    for (int attempt = 0; attempt < 1000; ++attempt) {
        // Below the range from which the kernel serves clients.
        const auto port = static_cast<std::uint16_t>(12000 + random() % 18000);
        bool all_free = true;
        for (int i = 0; i <= following; ++i) all_free = all_free && is_free(static_cast<std::uint16_t>(port + i));
        if (all_free) return port;
    }
    throw std::runtime_error{"no free port"};
}

}  // namespace sluice::testing
