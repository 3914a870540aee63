#include "broker/redis/server.hpp"

#include <utility>

#include "observe/log.hpp"

namespace sluice::broker::redis {

server::server(redis_options options)
    : options_{std::move(options)},
      location_{parse_uri(options_.uri, options_.tls)},
      resolver_{location_.host, location_.port} {
    if (location_.tls) tls_.emplace(location_.trust);
}

std::unique_ptr<byte_stream> server::dial(const deadline& until) {
    if (!location_.path.empty()) return std::make_unique<socket_stream>(connect_to_path(location_.path, until));
    auto socket = connect_to(resolver_.resolve(until), until);
    if (tls_) return tls_->connect(std::move(socket), location_.host, until);
    return std::make_unique<socket_stream>(std::move(socket));
}

void server::give_up_fencing(std::string_view reason) {
    if (!fences_.exchange(false)) return;
    observe::log(observe::level::warn, "redis.unfenced",
                 {{"server", location_.name()},
                  {"reason", std::string{reason}},
                  {"remedy", "allow this account WATCH, MULTI, EXEC, HSET, HGET and HGETALL on keys sluice:*"}});
}

}  // namespace sluice::broker::redis
