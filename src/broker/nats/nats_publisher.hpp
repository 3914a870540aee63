#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "broker/nats/acknowledgement.hpp"
#include "broker/nats/link.hpp"
#include "broker/publisher.hpp"
#include "broker/send_window.hpp"

namespace sluice::broker::nats {

/// Sends batches as make_nats_broker describes.
class nats_publisher final : public publisher {
public:
    explicit nats_publisher(const std::shared_ptr<const server>& to);

    [[nodiscard]] std::vector<verdict> publish(std::span<const outgoing> batch, const producer& from,
                                               duration timeout) override;
    [[nodiscard]] std::string probe(duration timeout) override;
    void hurry(duration patience) noexcept override { haste_.hurry(patience); }

private:
    using clock_type = std::chrono::steady_clock;
    using ticket = send_window::ticket;

    /// A message on its way.
    struct flight {
        const outgoing* message = nullptr;  ///< null once its batch has ended
        int attempt = 0;                    ///< 0: under its own id; others see other_server_id
        std::string subject{};
        int untaken = 0;        ///< so often nobody took it
        bool is_asked = false;  ///< whether a stream takes its subject
        clock_type::time_point sent{};
    };

    void work(const net::deadline& until);
    /// A session over which all that is on its way was sent.
    [[nodiscard]] session& connected(const net::deadline& until);
    void send_ready(session& on);
    void transmit(session& on, ticket number, const outgoing& message, int attempt);
    void wait_for_answers(session& on, const net::deadline& until);
    void take_answers(session& on, const net::deadline& until);
    void take_answer(session& on, const incoming& answer, const net::deadline& until);
    void settle(ticket number, verdict answer);
    /// What the server calls a duplicate counts when it is there, and is the same message.
    void look_at_duplicate(session& on, ticket number, const flight& of, const kept& first, const net::deadline& until);
    void settle_untaken(session& on, ticket number, const flight& of, const net::deadline& until);
    void transmit_again(session& on, ticket number, const flight& of, int untaken);
    [[nodiscard]] verdict why_untaken(session& on, const std::string& subject, const net::deadline& until);
    /// The server says that nobody takes a message only when nobody at all listens to its subject. So who hears nothing
    /// for a while asks.
    void ask_about_silence(session& on, const net::deadline& until);
    /// A confirmation that is this late was lost on its way to us.
    void stop_waiting_for_the_oldest();
    void lose_connection(const std::string& why);

    net::haste haste_;
    link link_;
    send_window window_;
    std::map<ticket, flight> flights_;
    std::map<std::string, verdict> untaken_;                    ///< by subject, in this batch
    std::map<std::string, clock_type::time_point> found_at_{};  ///< its stream, for what nobody took before; alike
};

}  // namespace sluice::broker::nats
