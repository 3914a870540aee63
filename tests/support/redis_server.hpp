#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace sluice::testing {

/// A private redis-server, started and ended by tests/support/servers/redis.sh.
///
/// Thread safety: one thread uses it.
class redis_server {
public:
    /// @param directory  where all its files are; must outlive it
    /// @param arguments  of redis-server
    explicit redis_server(std::filesystem::path directory, std::vector<std::string> arguments = {});
    redis_server(const redis_server&) = delete;
    redis_server& operator=(const redis_server&) = delete;
    ~redis_server();

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] std::filesystem::path socket() const { return directory_ / "redis.sock"; }
    [[nodiscard]] std::string uri() const { return "redis://127.0.0.1:" + std::to_string(port_); }

    void stop();
    /// On the port it had.
    void start_again();
    /// SIGSTOP: connections are accepted by the kernel, and nothing is ever answered.
    void freeze();
    void thaw();

    /// Runs redis-cli over the socket and returns its raw output without the last line end.
    std::string cli(const std::vector<std::string>& words) const;
    /// `headers.id` of each entry of a stream, in order.
    [[nodiscard]] std::vector<std::string> message_ids(const std::string& stream, int database = 0) const;

private:
    void start(const std::string& environment);

    std::filesystem::path directory_;
    std::vector<std::string> arguments_;
    std::uint16_t port_ = 0;
    pid_t pid_ = -1;
};

}  // namespace sluice::testing
