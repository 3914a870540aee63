#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace sluice::bench {

/// A server of our own, started by tests/support/servers/NAME.sh. It ends with its owner, and when a signal ends the
/// benchmark.
class private_server {
public:
    /// @param name  of the script: `nats`
    /// @param directory  for its files
    private_server(std::string name, std::filesystem::path directory);
    private_server(const private_server&) = delete;
    private_server& operator=(const private_server&) = delete;
    ~private_server();

    /// What the script says of the server: `NATS_PORT`.
    /// @throws std::runtime_error when it says no such thing
    [[nodiscard]] std::string setting(std::string_view variable) const;

private:
    std::string name_;
    std::filesystem::path directory_;
};

}  // namespace sluice::bench
