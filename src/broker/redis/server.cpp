#include "broker/redis/server.hpp"

#include <utility>

#include <sluice/error.hpp>

#include "broker/redis/outage.hpp"
#include "observe/log.hpp"

namespace sluice::broker::redis {

server::server(redis_options options)
    : options_{std::move(options)},
      location_{parse_uri(options_.uri, options_.tls)},
      resolver_{location_.host, location_.port} {
    if (location_.tls) static_cast<void>(net::tls_context{location_.trust});  // wrong files are told at once
}

std::unique_ptr<net::byte_stream> server::dial(const net::deadline& until) {
    if (!location_.path.empty())
        return std::make_unique<net::socket_stream>(net::connect_to_path(location_.path, until));
    auto socket = net::connect_to(resolver_.resolve(until), until);
    if (location_.tls) return encrypted(std::move(socket), until);
    return std::make_unique<net::socket_stream>(std::move(socket));
}

/// Certificates and authorities are renewed while we run: each connection reads them again.
std::unique_ptr<net::byte_stream> server::encrypted(base::unique_fd socket, const net::deadline& until) const {
    try {
        return net::tls_context{location_.trust}.connect(std::move(socket), location_.host, until);
    } catch (const configuration_error& unreadable) {
        throw outage{unreadable.what()};
    }
}

bool server::is_to_be_asked_for_hazards() noexcept { return !asked_for_hazards_.exchange(true); }

void server::tell_hazards(const std::vector<hazard>& found) const {
    for (const auto& each : found) {
        observe::log(
            observe::level::warn, "redis.may_lose",
            {{"server", location_.name()}, {"code", each.code}, {"reason", each.message}, {"remedy", each.remedy}});
    }
}

void server::give_up_fencing(std::string_view reason) {
    if (has_fenced_) throw outage{std::string{reason}};
    if (!fences_.exchange(false)) return;
    observe::log(observe::level::warn, "redis.unfenced",
                 {{"server", location_.name()},
                  {"reason", std::string{reason}},
                  {"remedy", "allow this account WATCH, MULTI, EXEC, HSET, HGET and HGETALL on keys sluice:*"}});
}

}  // namespace sluice::broker::redis
