#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "common/private_server.hpp"

namespace sluice::bench {

/// A PostgreSQL server of our own, as durable as in production. It ends with its owner.
class private_postgresql {
public:
    /// @param directory  for notes about it; its data lie in the system's temporary directory
    explicit private_postgresql(std::filesystem::path directory);

    /// Of its administrative database, in which nothing is measured.
    [[nodiscard]] std::string uri() const { return uri_of("postgres"); }
    [[nodiscard]] std::string uri_of(const std::string& database) const { return base_ + database; }
    /// Makes an empty database. @returns its URI
    [[nodiscard]] std::string make_database(const std::string& name) const;

private:
    private_server server_;
    std::string base_;
};

/// A Redis server of our own, without persistence. It ends with its owner.
class private_redis {
public:
    explicit private_redis(std::filesystem::path directory);

    [[nodiscard]] std::string uri() const { return "redis://127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] int pid() const noexcept { return pid_; }
    void flush() const;

private:
    private_server server_;
    std::uint16_t port_;
    int pid_;
};

}  // namespace sluice::bench
