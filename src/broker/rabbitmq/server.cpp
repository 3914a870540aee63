#include "broker/rabbitmq/server.hpp"

#include <algorithm>
#include <utility>

#include <sluice/error.hpp>

#include "base/signal_mask.hpp"
#include "broker/rabbitmq/outage.hpp"
#include "net/tls_stream.hpp"

namespace sluice::broker::rabbitmq {

server::server(rabbitmq_options options)
    : options_{std::move(options)},
      location_{parse_uri(options_.uri, options_.tls)},
      resolver_{location_.host, location_.port} {
    if (options_.exchange.empty()) throw configuration_error{"rabbitmq: exchange is empty; name a topic exchange"};
    if (location_.tls) static_cast<void>(net::tls_context{location_.trust});  // wrong files are told at once
}

server::~server() {
    if (thread_.joinable()) thread_.request_stop();
}

/// Certificates and authorities are renewed while we run: each connection reads them again.
std::unique_ptr<net::byte_stream> server::dial(const net::deadline& until) {
    auto socket = net::connect_to(resolver_.resolve(until), until);
    if (!location_.tls) return std::make_unique<net::socket_stream>(std::move(socket));
    try {
        return net::tls_context{location_.trust}.connect(std::move(socket), location_.host, until);
    } catch (const configuration_error& unreadable) {
        throw outage{unreadable.what()};
    }
}

void server::remember(const known_group& group) {
    const std::lock_guard lock{mutex_};
    const auto known = std::ranges::find_if(
        groups_, [&](const known_group& each) { return each.stream == group.stream && each.group == group.group; });
    if (known == groups_.end()) groups_.push_back(group);
}

std::vector<known_group> server::known_groups() const {
    const std::lock_guard lock{mutex_};
    return groups_;
}

void server::keep_alive(const std::shared_ptr<pulsing>& each) {
    const std::lock_guard lock{mutex_};
    std::erase_if(alive_, [](const auto& one) { return one.expired(); });
    alive_.push_back(each);
    if (!thread_.joinable()) {
        const base::blocked_signals none;  // the main thread's
        thread_ = std::jthread{[this](const std::stop_token& stop) { pulse(stop); }};
    }
}

void server::pulse(const std::stop_token& stop) {
    const auto pause = std::max<duration>(heartbeat() / 3, std::chrono::milliseconds{100});
    std::unique_lock lock{mutex_};
    for (;;) {
        changed_.wait_for(lock, stop, pause, [] { return false; });
        if (stop.stop_requested()) return;
        std::vector<std::shared_ptr<pulsing>> now;
        for (const auto& each : alive_) {
            if (auto one = each.lock()) now.push_back(std::move(one));
        }
        lock.unlock();
        for (const auto& each : now) each->pulse();
        now.clear();
        lock.lock();
    }
}

}  // namespace sluice::broker::rabbitmq
