#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "broker/broker.hpp"
#include "broker/webhook/incoming.hpp"

namespace sluice::broker::webhook {

struct receiver_settings {
    std::string host = "127.0.0.1";  ///< name or address to listen on
    std::uint16_t port = 0;          ///< 0: any free one
    /// Of several processes that name this file, the one that locked it listens; the others stand by.
    std::filesystem::path lock_file{};
    std::size_t max_connections = 256;
    std::size_t max_message_bytes = std::size_t{8} << 20U;
    std::size_t max_body_bytes = std::size_t{64} << 20U;  ///< of all requests under way; one larger goes alone
    std::chrono::milliseconds request_time{15'000};       ///< for a request to arrive, and for its answer to leave
    std::chrono::milliseconds idle_time{30'000};          ///< between two requests of a connection
    const clock* time = nullptr;                          ///< never null
};

/// An HTTP server that takes messages which somebody else posts. It answers 2xx once a message is stored, and not
/// before; the same id with the same content is answered like the first time and kept once.
///
/// Who connects is not trusted: nothing of a body is parsed before its signature was verified; heads, bodies,
/// connections and the time of each are bounded, and what is too much is answered with 503 and `Retry-After`.
///
/// It runs on a thread of its own, and stores on another one. Where another process listens already it looks every
/// second whether that is gone.
///
/// Thread safety: all members may be called concurrently.
class receiver {
public:
    /// @param into  keeps what comes, durably
    receiver(receiver_settings settings, receiving_terms terms, std::unique_ptr<publisher> into);
    receiver(const receiver&) = delete;
    receiver& operator=(const receiver&) = delete;
    /// Closes all connections. What was not answered comes again.
    ~receiver();

    /// 0 while it does not listen.
    [[nodiscard]] std::uint16_t port() const noexcept;
    /// Why nobody can listen, one line with a remedy; empty when somebody does.
    [[nodiscard]] std::string trouble() const;

private:
    class engine;
    std::unique_ptr<engine> engine_;
};

}  // namespace sluice::broker::webhook
