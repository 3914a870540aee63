#include "servers/private_servers.hpp"

#include <utility>

#include "servers/pg_link.hpp"
#include "servers/redis_link.hpp"

namespace sluice::bench {

private_postgresql::private_postgresql(std::filesystem::path directory) : server_{"postgres", std::move(directory)} {
    const auto uri = server_.setting("SLUICE_TEST_POSTGRES_URI");
    base_ = uri.substr(0, uri.rfind('/') + 1);
}

std::string private_postgresql::make_database(const std::string& name) const {
    pg_link{uri()}.execute("CREATE DATABASE " + name);
    return uri_of(name);
}

private_redis::private_redis(std::filesystem::path directory)
    : server_{"redis", std::move(directory)},
      port_{static_cast<std::uint16_t>(std::stoi(server_.setting("REDIS_PORT")))},
      pid_{std::stoi(server_.setting("REDIS_PID"))} {}

void private_redis::flush() const {
    redis_link link{port_};
    link.send(redis_command({"FLUSHALL"}));
    link.status();
}

}  // namespace sluice::bench
