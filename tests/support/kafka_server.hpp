#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace sluice::testing {

/// A private Kafka of one node, started and ended by tests/support/servers/kafka.sh.
///
/// Thread safety: one thread uses it.
class kafka_server {
public:
    /// The one that ctest started for all tests; it must not be frozen or stopped.
    [[nodiscard]] static kafka_server shared();
    /// One of its own. @param properties  further lines of server.properties
    [[nodiscard]] static kafka_server own(const std::filesystem::path& directory,
                                          std::vector<std::string> properties = {});
    kafka_server(kafka_server&& other) noexcept;
    kafka_server& operator=(kafka_server&&) = delete;
    ~kafka_server();

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] std::string uri() const { return "kafka://127.0.0.1:" + std::to_string(port_); }
    /// Where the user `shop` logs in with the password `s3cret` (PLAIN, SCRAM-SHA-512).
    [[nodiscard]] std::string login_servers() const { return "127.0.0.1:" + std::to_string(login_port_); }
    /// Where `localhost` shows a certificate that the authority of `ca.pem` has signed.
    [[nodiscard]] std::string tls_servers() const { return "localhost:" + std::to_string(tls_port_); }
    /// `ca.pem`, and `other-ca.pem` of an authority that has signed nothing.
    [[nodiscard]] std::filesystem::path certificates() const { return directory_; }
    [[nodiscard]] std::string servers() const { return "127.0.0.1:" + std::to_string(port_); }

    void stop();
    /// SIGKILL.
    void kill_hard();
    /// On the port it had, with the data it had.
    void start_again();
    /// SIGSTOP: connections are accepted by the kernel, and nothing is answered.
    void freeze();
    void thaw();

    /// One of Kafka's own tools, for example `org.apache.kafka.tools.TopicCommand`; `--bootstrap-server` is added.
    /// @throws std::runtime_error with its output when it fails
    std::string tool(const std::string& name, const std::vector<std::string>& arguments) const;

private:
    kafka_server(std::filesystem::path directory, bool is_own);
    void read_env();
    void start(const std::string& environment);

    std::filesystem::path directory_;
    std::vector<std::string> properties_;
    bool is_own_;
    std::uint16_t port_ = 0;
    std::uint16_t login_port_ = 0;
    std::uint16_t tls_port_ = 0;
    pid_t pid_ = -1;
};

}  // namespace sluice::testing
