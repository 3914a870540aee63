#include "support/tcp_gate.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

namespace sluice::testing {
namespace {

sockaddr_in local(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

const sockaddr* generic(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

/// What passes the gate in pieces must not wait for the other side's acknowledgements.
void send_at_once(int fd) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// False at the end of the stream.
bool drain(int fd, std::string& into, std::size_t at_most = std::numeric_limits<std::size_t>::max()) {
    std::array<char, 16384> buffer{};
    for (;;) {
        const auto got = ::recv(fd, buffer.data(), std::min(buffer.size(), at_most), MSG_DONTWAIT);
        if (got > 0) {
            into.append(buffer.data(), static_cast<std::size_t>(got));
            at_most -= static_cast<std::size_t>(got);
            if (at_most == 0) return true;
            continue;
        }
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    }
}

/// False when nobody takes it any more.
bool push(int fd, std::string& from, std::size_t at_most) {
    const auto sent = ::send(fd, from.data(), std::min(from.size(), at_most), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    from.erase(0, static_cast<std::size_t>(sent));
    return true;
}

}  // namespace

tcp_gate::tcp_gate(std::uint16_t server_port)
    : server_port_{server_port}, listener_{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)} {
    auto address = local(0);
    socklen_t size = sizeof address;
    if (::bind(listener_.get(), generic(address), size) != 0 || ::listen(listener_.get(), 64) != 0 ||
        ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        throw std::runtime_error{"the gate cannot listen"};
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread{[this] { run(); }};
}

tcp_gate::~tcp_gate() {
    stopping_ = true;
    changed_.notify();
    thread_.join();
}

void tcp_gate::refuse(bool on) {
    refusing_ = on;
    changed_.notify();
}

void tcp_gate::stall(bool on) {
    stalled_ = on;
    changed_.notify();
}

void tcp_gate::drip(std::chrono::milliseconds interval) {
    drip_ms_ = interval.count();
    changed_.notify();
}

void tcp_gate::throttle(std::size_t bytes_a_second) {
    throttle_ = bytes_a_second;
    changed_.notify();
}

void tcp_gate::delay(std::chrono::milliseconds by) {
    delay_ms_ = by.count();
    changed_.notify();
}

void tcp_gate::cut_after(std::size_t bytes_from_server) {
    cut_after_ = static_cast<std::int64_t>(bytes_from_server);
    changed_.notify();
}

void tcp_gate::half_close() {
    half_closing_ = true;
    changed_.notify();
}

void tcp_gate::open() {
    refusing_ = false;
    stalled_ = false;
    drip_ms_ = 0;
    throttle_ = 0;
    delay_ms_ = 0;
    cut_after_ = -1;
    half_closing_ = false;
    changed_.notify();
}

void tcp_gate::run() {
    while (!stopping_) {
        std::vector<pollfd> sources{{.fd = listener_.get(), .events = POLLIN, .revents = 0},
                                    {.fd = changed_.fd(), .events = POLLIN, .revents = 0}};
        bool busy = false;
        for (const auto& each : pipes_) {
            busy = busy || throttle_ != 0 || !each.to_client.empty() || !each.to_server.empty();
            if (stalled_ || each.server_done || throttle_ != 0) continue;
            sources.push_back({.fd = each.client.get(), .events = POLLIN, .revents = 0});
            sources.push_back({.fd = each.server.get(), .events = POLLIN, .revents = 0});
        }
        ::poll(sources.data(), sources.size(), busy && !stalled_ ? 1 : 100);
        changed_.drain();
        accept_one();
        for (auto& each : pipes_) pump(each);
        std::erase_if(pipes_, [](const pipe& each) { return each.dead; });
    }
}

void tcp_gate::accept_one() {
    base::unique_fd client{::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (!client || refusing_) return;
    base::unique_fd server{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const auto address = local(server_port_);
    if (::connect(server.get(), generic(address), sizeof address) != 0) return;
    send_at_once(client.get());
    send_at_once(server.get());
    pipes_.push_back({.client = std::move(client), .server = std::move(server)});
}

void tcp_gate::pump(pipe& through) {
    if (refusing_) through.dead = true;
    if (half_closing_ && !through.server_done) {
        ::shutdown(through.client.get(), SHUT_WR);
        through.server_done = true;
    }
    if (stalled_ || through.dead || through.server_done) return;
    if (const std::size_t rate = throttle_; rate != 0) return pump_slowly(through, rate);
    if (!drain(through.client.get(), through.to_server)) through.dead = true;
    if (!push(through.server.get(), through.to_server, through.to_server.size())) through.dead = true;
    const auto before = through.to_client.size();
    if (!drain(through.server.get(), through.to_client) && through.to_client.empty()) through.dead = true;
    if (before == 0 && !through.to_client.empty()) through.arrived = clock::now();
    pump_to_client(through);
}

/// What may not pass yet is left with its sender, whose buffers fill up.
void tcp_gate::pump_slowly(pipe& through, std::size_t bytes_a_second) {
    constexpr double longest_burst = 0.02;  // seconds
    constexpr std::size_t kept = 16'384;
    const auto now = clock::now();
    const double passed = std::chrono::duration<double>(now - through.throttled_since).count();
    const double grown = static_cast<double>(bytes_a_second) * std::min(passed, longest_burst);
    through.throttled_since = now;
    const auto move = [&](int from, int to, std::string& buffer, double& allowance) {
        allowance = std::min(allowance + grown, static_cast<double>(bytes_a_second) * longest_burst);
        if (buffer.size() < kept && !drain(from, buffer, kept)) through.dead = buffer.empty();
        const auto before = buffer.size();
        if (!push(to, buffer, static_cast<std::size_t>(allowance))) through.dead = true;
        allowance -= static_cast<double>(before - buffer.size());
    };
    move(through.client.get(), through.server.get(), through.to_server, through.to_server_allowance);
    move(through.server.get(), through.client.get(), through.to_client, through.to_client_allowance);
}

void tcp_gate::pump_to_client(pipe& through) {
    if (through.to_client.empty()) return;
    if (clock::now() < through.arrived + std::chrono::milliseconds{delay_ms_}) return;
    auto at_most = through.to_client.size();
    if (drip_ms_ > 0) {
        if (clock::now() < through.next_drip) return;
        through.next_drip = clock::now() + std::chrono::milliseconds{drip_ms_};
        at_most = 1;
    }
    if (cut_after_ >= 0) {
        at_most = std::min(at_most, static_cast<std::size_t>(cut_after_));
        cut_after_ -= static_cast<std::int64_t>(at_most);
        if (cut_after_ == 0) {
            static_cast<void>(push(through.client.get(), through.to_client, at_most));
            cut_after_ = -1;
            for (auto& each : pipes_) each.dead = true;
            return;
        }
    }
    if (!push(through.client.get(), through.to_client, at_most)) through.dead = true;
}

}  // namespace sluice::testing
