#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sluice::testing {

/// A private nats-server with JetStream, started and ended by tests/support/servers/nats.sh, and a bare client of the
/// library to look at it: what it sees and does owes nothing to our adapter.
///
/// Thread safety: one thread uses it.
class nats_server {
public:
    struct stored {
        std::string subject;
        std::map<std::string, std::string> head;
        std::string body;
    };
    /// What a stream of a test is like; the rest is as the server has it.
    struct stream_settings {
        std::string name{};
        std::vector<std::string> subjects{};
        std::int64_t max_msgs = -1;
        std::int64_t max_msg_size = -1;
        std::int64_t duplicate_window_ms = 120'000;
        bool discard_new = false;
        bool by_interest = false;
        std::int64_t max_age_s = 0;
        std::int64_t max_bytes = -1;
        bool in_memory = false;
    };

    /// @param directory  where all its files are; must outlive it
    /// @param arguments  of nats-server
    explicit nats_server(std::filesystem::path directory, std::vector<std::string> arguments = {});
    nats_server(const nats_server&) = delete;
    nats_server& operator=(const nats_server&) = delete;
    ~nats_server();

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] std::string uri() const { return "nats://127.0.0.1:" + std::to_string(port_); }

    void stop();
    /// SIGKILL.
    void crash();
    /// On the port it had, with what it kept.
    void start_again();
    void start_again_without_jetstream();
    /// SIGSTOP: connections are accepted by the kernel, and nothing is ever answered.
    void freeze();
    void thaw();

    void make_stream(const stream_settings& settings);
    void delete_stream(const std::string& name);
    void purge_stream(const std::string& name);
    [[nodiscard]] std::vector<std::string> streams();
    void delete_all_streams();
    /// Everything that a stream keeps, in order.
    [[nodiscard]] std::vector<stored> messages(const std::string& stream);
    /// `Nats-Msg-Id` of each.
    [[nodiscard]] std::vector<std::string> message_ids(const std::string& stream);
    void publish(const std::string& subject, const std::string& body,
                 const std::map<std::string, std::string>& head = {});
    /// From now on counts what is published to a subject, copies that a stream does not keep included.
    void listen_to(const std::string& subject);
    [[nodiscard]] std::size_t heard();
    void delete_consumers(const std::string& stream);
    /// Names of the durable consumers of a stream.
    [[nodiscard]] std::vector<std::string> consumers(const std::string& stream);
    void make_consumer(const std::string& stream, const std::string& name, const std::string& subject,
                       std::int64_t ack_wait_ms, std::int64_t max_deliver);
    /// How many messages a consumer has delivered that nobody has acknowledged.
    [[nodiscard]] std::int64_t unacknowledged(const std::string& stream, const std::string& consumer);
    /// Milliseconds until a message that is not acknowledged comes again.
    [[nodiscard]] std::int64_t ack_wait_ms(const std::string& stream, const std::string& consumer);

private:
    class client;

    void start(const std::string& environment);
    [[nodiscard]] client& bare();

    std::filesystem::path directory_;
    std::vector<std::string> arguments_;
    std::uint16_t port_ = 0;
    std::unique_ptr<client> client_;
};

}  // namespace sluice::testing
