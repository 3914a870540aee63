#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/rabbitmq/content.hpp"
#include "broker/rabbitmq/frame.hpp"
#include "broker/rabbitmq/server.hpp"
#include "net/byte_stream.hpp"
#include "net/deadline.hpp"

namespace sluice::broker::rabbitmq {

/// The channel that everything of a connection happens on.
constexpr std::uint16_t only_channel = 1;

/// A connection that is logged in, with one open channel. Nothing here waits but what is given a deadline: what is sent
/// waits in memory while the server takes nothing, what comes waits for `next`.
///
/// Thread safety: used by one thread at a time. Trouble throws `outage`; then only `next` may still be called, for what
/// had come before.
class connection {
public:
    /// Dials, logs in and opens the channel. @param role  shown by the server: `sluice-publisher`
    connection(server& at, std::string_view role, const net::deadline& until);
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    /// Hangs up without waiting.
    ~connection() = default;

    /// Adds a method to what is sent; `pump` sends it.
    template <class Fields>
    void send(amqp_method_number_t number, Fields fields) {
        append_method(out_, only_channel, number, &fields);
    }
    /// Adds a message to what is sent. @param header  of encode_properties
    void publish(amqp_basic_publish_t& what, std::string_view header, std::string_view body);

    /// Sends and receives what can be now, and beats the heart. Never waits. True when something was received.
    bool pump();
    /// Between the calls of the owner: receives, and beats the heart. Messages that could not be sent stay here: only
    /// who owns the lane may send.
    void pulse();
    /// Pumps, and sleeps before that until there may be something to pump. False when the time has passed.
    [[nodiscard]] bool wait(const net::deadline& until);
    /// The next event among what was received; null when there is none. Valid until the next call.
    /// @throws channel_closed, outage  with the server's words
    [[nodiscard]] event* next();

    /// Waits for one answer; what comes before it is passed to `other`.
    /// @returns the event of the answer, valid until the next call of `next`
    template <class Other>
    event& answer(amqp_method_number_t number, const net::deadline& until, const Other& other) {
        for (;;) {
            if (event* const got = next()) {
                if (got->is(number)) return *got;
                other(*got);
            } else if (!wait(until)) {
                throw outage{"the server did not answer in time"};
            }
        }
    }
    event& answer(amqp_method_number_t number, const net::deadline& until) {
        return answer(number, until, [](const event&) {});
    }

    /// Says good-bye and waits until the server has heard it, and so everything that was sent before.
    void close(const net::deadline& until) noexcept;

    /// Why the server takes no messages now (an alarm); empty when it does.
    [[nodiscard]] const std::string& blocked_by() const noexcept { return blocked_by_; }
    [[nodiscard]] std::size_t frame_max() const noexcept { return frame_max_; }
    [[nodiscard]] int fd() const noexcept { return stream_->fd(); }
    [[nodiscard]] const server& at() const noexcept { return at_; }
    /// What to poll the descriptor for, and how long the heart can stand still meanwhile.
    [[nodiscard]] short wanted() const noexcept;
    [[nodiscard]] duration longest_sleep() const noexcept {
        return heartbeat_ > duration{0} ? heartbeat_ / 3 : duration{std::chrono::minutes{1}};
    }
    /// `3.10.8`; empty when the server does not say.
    [[nodiscard]] const std::string& server_version() const noexcept { return server_version_; }

private:
    using clock = std::chrono::steady_clock;

    void log_in(const endpoint& as, std::string_view role, const net::deadline& until);
    void start_ok(const endpoint& as, std::string_view role);
    void tune(const amqp_connection_tune_t& offered);
    /// The next method of channel 0, which must be this one. Valid until the next call.
    [[nodiscard]] method expect(amqp_method_number_t number, const net::deadline& until);
    [[nodiscard]] method read_control(const frame& from);
    void on_control(const frame& from);
    void flush();
    [[nodiscard]] bool receive();
    void beat();

    server& at_;
    std::unique_ptr<net::byte_stream> stream_;
    frame_reader reader_;
    content_reader content_;
    decoding_pool control_pool_;
    std::string control_payload_;
    std::string out_;
    std::size_t sent_ = 0;  ///< of `out_`
    short write_wants_ = 0;
    std::vector<char> buffer_;
    std::string blocked_by_;
    std::string server_version_;
    std::size_t frame_max_ = largest_frame;
    duration heartbeat_;
    clock::time_point last_sent_ = clock::now();
    clock::time_point last_received_ = last_sent_;
    bool closed_ = false;
};

}  // namespace sluice::broker::rabbitmq
