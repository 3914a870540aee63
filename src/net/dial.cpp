#include "net/dial.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/un.h>

#include <fmt/format.h>

#include "net/outage.hpp"

namespace sluice::net {
namespace {

using namespace std::chrono_literals;

std::string reason_of(int code) { return std::generic_category().message(code); }

/// Latency beats throughput, and a peer that is gone without a word is found out while we only wait.
void tune(int fd) {
    const int on = 1;
    const int seconds_until_probe = 15;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds_until_probe, sizeof seconds_until_probe);
}

/// 0, or what went wrong.
int finish_connecting(int fd, const deadline& until) {
    if (!until.wait_for(fd, POLLOUT)) return ETIMEDOUT;
    int failure = 0;
    socklen_t size = sizeof failure;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size);
    return failure;
}

/// 0 and a socket, or what went wrong.
std::pair<base::unique_fd, int> try_to_connect(const socket_address& to, const deadline& until) {
    base::unique_fd fd{::socket(to.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!fd) return {base::unique_fd{}, errno};
    if (to.storage.ss_family != AF_UNIX) tune(fd.get());
    int failure = 0;
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.size) != 0) {
        // A Unix socket whose queue is full answers EAGAIN instead of waiting.
        failure = errno == EINPROGRESS || errno == EINTR ? finish_connecting(fd.get(), until) : errno;
    }
    return {std::move(fd), failure};
}

}  // namespace

std::vector<socket_address> resolver::resolve(const deadline& until) {
    if (auto numeric = look_up(host_, port_, AI_NUMERICHOST); !numeric.addresses.empty()) return numeric.addresses;

    std::shared_future<lookup_result> running;
    {
        const std::lock_guard lock{mutex_};
        if (!pending_.valid()) {
            std::packaged_task<lookup_result()> task{[host = host_, port = port_] { return look_up(host, port, 0); }};
            pending_ = task.get_future().share();
            std::thread{std::move(task)}.detach();
        }
        running = pending_;
    }
    // In short steps: the deadline may move forward meanwhile, and a future wakes nobody for that.
    while (running.wait_for(std::min<duration>(until.left(), 20ms)) != std::future_status::ready) {
        if (until.passed()) {
            throw outage{fmt::format("looking up host {} takes too long; check the name server", host_)};
        }
    }
    {
        const std::lock_guard lock{mutex_};
        pending_ = {};  // the next one asks anew: addresses change
    }
    const auto& result = running.get();
    if (result.addresses.empty()) throw outage{fmt::format("host {} has no address: {}", host_, result.failure)};
    return result.addresses;
}

resolver::lookup_result resolver::look_up(const std::string& host, std::uint16_t port, int flags) {
    addrinfo wanted{};
    wanted.ai_family = AF_UNSPEC;
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = flags | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    lookup_result result;
    if (const int failure = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found); failure != 0) {
        result.failure = ::gai_strerror(failure);
        return result;
    }
    for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
        socket_address address;
        if (each->ai_addrlen > sizeof address.storage) continue;
        std::memcpy(&address.storage, each->ai_addr, each->ai_addrlen);
        address.size = each->ai_addrlen;
        result.addresses.push_back(address);
    }
    ::freeaddrinfo(found);
    return result;
}

base::unique_fd connect_to(const std::vector<socket_address>& addresses, const deadline& until) {
    int last_failure = EADDRNOTAVAIL;
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        const auto share = until.left() / static_cast<duration::rep>(addresses.size() - i);
        auto [fd, failure] = try_to_connect(addresses[i], until.or_sooner(share));
        if (failure == 0) return std::move(fd);
        last_failure = failure;
    }
    throw outage{"cannot connect: " + reason_of(last_failure)};
}

base::unique_fd connect_to_path(const std::string& path, const deadline& until) {
    socket_address address;
    auto& local = reinterpret_cast<sockaddr_un&>(address.storage);
    if (path.size() >= sizeof local.sun_path) throw outage{"cannot connect: the socket's path is too long"};
    local.sun_family = AF_UNIX;
    std::memcpy(local.sun_path, path.c_str(), path.size() + 1);
    address.size = sizeof local;
    auto [fd, failure] = try_to_connect(address, until);
    if (failure != 0) throw outage{"cannot connect: " + reason_of(failure)};
    return std::move(fd);
}

}  // namespace sluice::net
