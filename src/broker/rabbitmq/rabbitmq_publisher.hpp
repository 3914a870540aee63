#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/publisher.hpp"
#include "broker/rabbitmq/confirms.hpp"
#include "broker/rabbitmq/link.hpp"
#include "broker/send_window.hpp"
#include "net/deadline.hpp"

namespace sluice::broker::rabbitmq {

/// Sends what its window allows, and tells the window what the server says.
class rabbitmq_publisher final : public publisher {
public:
    explicit rabbitmq_publisher(std::shared_ptr<server> at);
    rabbitmq_publisher(const rabbitmq_publisher&) = delete;
    rabbitmq_publisher& operator=(const rabbitmq_publisher&) = delete;
    ~rabbitmq_publisher() override;

    [[nodiscard]] std::vector<verdict> publish(std::span<const outgoing> batch, const producer& from,
                                               duration timeout) override;
    [[nodiscard]] std::string probe(duration timeout) override;
    void hurry(duration patience) noexcept override { haste_.hurry(patience); }

private:
    void refresh(const net::deadline& until);
    void require_confirmations(connection& of, const net::deadline& until);
    [[nodiscard]] bool has_waited_too_long() const;
    void run(const net::deadline& until);
    [[nodiscard]] connection& prepared(const net::deadline& until);
    void send_what_may_go(connection& over);
    /// Nothing when it was written.
    [[nodiscard]] std::optional<refused> write(const send_window::transmission& one, connection& over);
    void absorb(connection& from);
    void take(const event& said);
    void settle(std::uint64_t tag, bool multiple, bool is_taken);
    [[nodiscard]] unreachable lose(const outage& trouble);
    [[nodiscard]] std::optional<unreachable> channel_failed(const channel_closed& why);
    [[nodiscard]] unreachable reason_now();
    [[nodiscard]] std::string ask(connection& whom, const net::deadline& until);

    link link_;
    net::haste haste_;
    send_window window_;
    confirms confirms_;
    std::chrono::steady_clock::time_point waiting_since_{};  ///< while something waits for its confirmation
    bool any_delivered_ = false;                             ///< of the batch at hand
};

}  // namespace sluice::broker::rabbitmq
