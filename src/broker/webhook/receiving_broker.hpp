#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/broker.hpp"
#include "broker/webhook/receiver.hpp"
#include "broker/webhook/secrets.hpp"

namespace sluice::broker {
struct webhook_options;
}

namespace sluice::broker::webhook {

/// Host and port of `listen`: `127.0.0.1:8088`, `[::]:8088`.
struct listening_address {
    std::string host{};
    std::uint16_t port = 0;
};

/// @throws configuration_error  it is no such text
[[nodiscard]] listening_address read_listening_address(const std::string& text);

/// The streams that somebody reads: those that this process has opened, and those that have a group in the inbox.
///
/// Thread safety: may be used concurrently.
class read_streams {
public:
    explicit read_streams(std::unique_ptr<operations> of) : groups_{std::move(of)} {}

    void add(const std::vector<std::string>& streams);
    /// Nothing when somebody reads it. While the process is young the others may be about to begin: come later.
    [[nodiscard]] std::optional<turned_down> objection_to(const std::string& stream);

private:
    using steady = std::chrono::steady_clock;

    void look_again();

    std::unique_ptr<operations> groups_;
    std::mutex mutex_;
    std::set<std::string> known_;
    steady::time_point begun_ = steady::now();
    steady::time_point next_look_{};
};

/// What others post to us, kept in an SQLite broker that serves as the inbox: reading it, groups, failed messages and
/// dead letters are those of that. The server listens from the first `open_reader` on.
///
/// Thread safety: all members may be called concurrently.
class receiving_broker {
public:
    /// @throws configuration_error  listen, secrets or inbox_file is wrong or missing
    receiving_broker(const webhook_options& options, signing_keys keys);

    /// @throws broker_error  the address cannot be listened on
    [[nodiscard]] std::unique_ptr<reader> open_reader(const std::vector<std::string>& streams,
                                                      const membership& member);
    [[nodiscard]] std::unique_ptr<operations> open_operations() { return store_->open_operations(); }
    /// `127.0.0.1:8088 into inbox.db`
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    /// The port that is listened on; 0 while nobody has opened a reader, or another process listens.
    [[nodiscard]] std::uint16_t port() const;

private:
    receiver_settings settings_;
    receiving_terms terms_;
    std::string name_;
    std::shared_ptr<broker> store_;
    std::shared_ptr<read_streams> streams_;
    mutable std::mutex mutex_;
    std::unique_ptr<receiver> receiver_;
};

}  // namespace sluice::broker::webhook
