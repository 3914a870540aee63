#pragma once

#include <cstdint>
#include <future>
#include <mutex>
#include <string>
#include <vector>

#include <sys/socket.h>

#include "base/unique_fd.hpp"
#include "net/deadline.hpp"

namespace sluice::net {

struct socket_address {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

/// Looks up the addresses of one host, within a deadline although the system's lookup knows none: it runs on a thread
/// of its own, at most one at a time, which is left behind when it takes too long.
///
/// Thread safety: may be used concurrently.
class resolver {
public:
    resolver(std::string host, std::uint16_t port) : host_{std::move(host)}, port_{port} {}

    /// @throws outage naming the host
    [[nodiscard]] std::vector<socket_address> resolve(const deadline& until);

private:
    struct lookup_result {
        std::vector<socket_address> addresses;
        std::string failure;
    };
    static lookup_result look_up(const std::string& host, std::uint16_t port, int flags);

    std::string host_;
    std::uint16_t port_;
    std::mutex mutex_;
    std::shared_future<lookup_result> pending_;
};

/// Connects to the first address that answers; each gets its share of the time that is left.
/// @returns a socket that never blocks
/// @throws outage with the last reason
[[nodiscard]] base::unique_fd connect_to(const std::vector<socket_address>& addresses, const deadline& until);
[[nodiscard]] base::unique_fd connect_to_path(const std::string& path, const deadline& until);

}  // namespace sluice::net
