#include "net/listener.hpp"

#include <fcntl.h>

#include <chrono>
#include <utility>

namespace sluice::net {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr unsigned most_ports = 65535;

/// Asio makes sockets that every program inherits which is started from here.
template <class Socket>
void keep_from_children(Socket& socket) {
    ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
}

}  // namespace

listener::attempt listener::listen(const listening_place& at) {
    error_code problem;
    tcp::resolver resolver{io_};
    const auto found = resolver.resolve(at.host, std::to_string(at.port), tcp::resolver::passive, problem);
    if (problem || found.empty()) return {outcome::unknown_host, problem};
    // A name may have addresses that this machine cannot use: `localhost` is ::1, too, where IPv6 is switched off.
    for (const auto& each : found) {
        tcp::endpoint place = each.endpoint();
        for (int i = 0; i < at.ports_to_try; ++i) {
            problem = try_to_listen(place);
            if (!problem) {
                where_ = acceptor_.local_endpoint();
                return {};
            }
            if (problem != asio::error::address_in_use || place.port() == most_ports) break;
            place.port(static_cast<std::uint16_t>(place.port() + 1));
        }
        // Clients that know the name would come to the other program.
        if (problem == asio::error::address_in_use) return {outcome::address_in_use, problem};
    }
    return {outcome::impossible, problem};
}

error_code listener::try_to_listen(const tcp::endpoint& at) {
    error_code problem;
    acceptor_.close(problem);
    acceptor_.open(at.protocol(), problem);
    if (!problem) keep_from_children(acceptor_);
    if (!problem) acceptor_.set_option(tcp::acceptor::reuse_address{true}, problem);
    if (!problem) acceptor_.bind(at, problem);
    if (!problem) acceptor_.listen(tcp::acceptor::max_listen_connections, problem);
    return problem;
}

void listener::accept(std::function<void(tcp::socket client)> take) {
    take_ = std::move(take);
    accept_next();
}

void listener::accept_next() {
    acceptor_.async_accept([this](error_code problem, tcp::socket client) {
        if (problem == asio::error::operation_aborted) return;
        if (problem) return accept_later();  // out of descriptors, for example
        keep_from_children(client);
        accept_next();
        take_(std::move(client));
    });
}

void listener::accept_later() {
    constexpr auto pause = std::chrono::milliseconds{100};
    pause_.expires_after(pause);
    pause_.async_wait([this](error_code problem) {
        if (!problem) accept_next();
    });
}

}  // namespace sluice::net
