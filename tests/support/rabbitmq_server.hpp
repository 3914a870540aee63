#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/temporary_directory.hpp"

/// RabbitMQ nodes for tests, started by servers/rabbitmq.sh.
namespace sluice::testing::rabbitmq {

class server {
public:
    /// The one that ctest's fixture `rabbitmq` has started. No test may stop or freeze it.
    [[nodiscard]] static server shared();
    /// One of the test's own, which goes with it. It takes some seconds to start.
    [[nodiscard]] static server own();

    server(server&&) noexcept = default;
    server& operator=(server&&) = delete;
    ~server();

    /// @throws std::runtime_error saying how to start it, when it does not run
    [[nodiscard]] std::string uri() const;
    /// The same, through something that listens on another port of 127.0.0.1.
    [[nodiscard]] std::string uri_through(std::uint16_t port) const;
    [[nodiscard]] std::uint16_t port() const;
    /// With TLS, to `localhost`.
    [[nodiscard]] std::string tls_uri() const;
    /// `ca.pem`, `client.pem` and `client.key`.
    [[nodiscard]] std::filesystem::path certificates() const;

    /// `restart`, `crash`, `start`, `freeze`, `thaw`.
    void control(const std::string& action) const;
    /// Runs rabbitmqctl and returns what it printed.
    std::string ctl(const std::vector<std::string>& words) const;  // NOLINT(modernize-use-nodiscard)

private:
    explicit server(std::string directory) : directory_{std::move(directory)} {}
    [[nodiscard]] std::string setting(std::string_view name) const;

    std::string directory_;
    std::unique_ptr<temporary_directory> temporary_{};
};

/// A name that no other test has.
[[nodiscard]] std::string fresh_name(std::string_view prefix);

}  // namespace sluice::testing::rabbitmq
