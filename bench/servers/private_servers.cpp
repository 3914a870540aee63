#include "servers/private_servers.hpp"

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "servers/pg_link.hpp"
#include "servers/redis_link.hpp"

namespace sluice::bench {

namespace {

void run_script(std::string_view name, const std::string& action, const std::filesystem::path& directory) {
    const auto command = "'" BENCH_SERVER_SCRIPTS "/" + std::string{name} + ".sh' " + action + " '" +
                         directory.string() + "' </dev/null";
    if (std::system(command.c_str()) != 0) throw std::runtime_error{command + " failed"};
}

void stop_quietly(std::string_view name, const std::filesystem::path& directory) noexcept {
    try {
        run_script(name, "stop", directory);
    } catch (const std::exception&) {
        return;  // it has said why
    }
}

std::string setting(const std::filesystem::path& directory, std::string_view name) {
    std::ifstream file{directory / "env"};
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(name) && line[name.size()] == '=') return line.substr(name.size() + 1);
    }
    throw std::runtime_error{"there is no " + std::string{name} + " in " + directory.string()};
}

}  // namespace

private_postgresql::private_postgresql(std::filesystem::path directory) : directory_{std::move(directory)} {
    run_script("postgres", "start", directory_);
    const auto uri = setting(directory_, "SLUICE_TEST_POSTGRES_URI");
    base_ = uri.substr(0, uri.rfind('/') + 1);
}

private_postgresql::~private_postgresql() { stop_quietly("postgres", directory_); }

std::string private_postgresql::make_database(const std::string& name) const {
    pg_link{uri()}.execute("CREATE DATABASE " + name);
    return uri_of(name);
}

private_redis::private_redis(std::filesystem::path directory) : directory_{std::move(directory)} {
    run_script("redis", "start", directory_);
    port_ = static_cast<std::uint16_t>(std::stoi(setting(directory_, "REDIS_PORT")));
    pid_ = std::stoi(setting(directory_, "REDIS_PID"));
}

private_redis::~private_redis() { stop_quietly("redis", directory_); }

void private_redis::flush() const {
    redis_link link{port_};
    link.send(redis_command({"FLUSHALL"}));
    link.status();
}

}  // namespace sluice::bench
