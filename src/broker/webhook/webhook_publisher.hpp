#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/publisher.hpp"
#include "broker/send_window.hpp"
#include "broker/webhook/dialer.hpp"
#include "broker/webhook/http_connection.hpp"
#include "broker/webhook/request.hpp"
#include "net/deadline.hpp"

namespace sluice::broker::webhook {

/// What a publisher goes by.
struct publisher_terms {
    request_terms requests{};
    std::size_t connections = 8;
    duration answer_timeout{std::chrono::seconds{20}};
    std::size_t max_message_bytes = 0;
    const clock* time = nullptr;  ///< never null
};

/// Posts messages, each in a request of its own. A request whose batch has ended goes on: its answer is waited for in
/// the batches to come.
class webhook_publisher final : public publisher {
public:
    webhook_publisher(std::shared_ptr<dialer> endpoint, publisher_terms terms);

    [[nodiscard]] std::vector<verdict> publish(std::span<const outgoing> batch, const producer& from,
                                               duration timeout) override;
    [[nodiscard]] std::string probe(duration timeout) override;
    void hurry(duration patience) noexcept override { haste_.hurry(patience); }

private:
    struct lane_of_requests {
        std::unique_ptr<http_connection> connection;
        send_window::ticket message = 0;  ///< under way on it; 0: none
        bool is_ready = true;             ///< it may be able to go on
        bool was_repeated = false;        ///< its request went over a stale connection before
    };

    void exchange(const net::deadline& until);
    void start_requests(const net::deadline& until);
    void collect(const net::deadline& until);
    void take_answer(lane_of_requests& of);
    void take_loss(lane_of_requests& of, const net::deadline& until);
    void note_answer(const answer_head& head, const verdict& said);
    void compare_clocks(const answer_head& head);
    /// Null, and `trouble_` says why, when there is none to be had.
    [[nodiscard]] lane_of_requests* free_connection(const net::deadline& until);
    [[nodiscard]] lane_of_requests* dial(const net::deadline& until);
    void close_stale();
    void wait(const net::deadline& until);
    /// How long the endpoint asked to be left alone yet, as a reason; empty when it did not.
    [[nodiscard]] std::string pause_reason() const;

    std::shared_ptr<dialer> endpoint_;
    publisher_terms terms_;
    net::haste haste_;
    send_window window_;
    std::vector<lane_of_requests> connections_;
    instant pause_until_{};
    bool told_of_clock_ = false;

    // Of the batch at hand.
    std::string trouble_{};  ///< why nothing more is sent; empty: it goes on
    std::string last_outage_{};
    int outages_in_a_row_ = 0;
    bool has_delivered_ = false;
};

}  // namespace sluice::broker::webhook
