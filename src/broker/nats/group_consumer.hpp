#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "broker/nats/group_lease.hpp"
#include "broker/nats/nats_broker.hpp"
#include "broker/reader.hpp"

namespace sluice::broker::nats {

/// What JetStream says of a delivered message in the subject that it is to be acknowledged to. Pure.
struct delivery_mark {
    std::string_view consumer;   ///< refers to the text
    std::uint64_t sequence = 0;  ///< in its stream

    /// Nothing when the text is no such subject.
    [[nodiscard]] static std::optional<delivery_mark> parse(std::string_view reply);
};

/// One stream of ours as a group reads it: a durable pull consumer, and the lease to use it.
///
/// Each message is pulled; at most one pull is under way. A new holder of the lease, and one whose connection was made
/// anew, first collects everything that the server counts as delivered and not acknowledged: else that would come again
/// behind newer messages, when its time has passed.
///
/// Thread safety: used by one thread at a time. Trouble throws outage.
class group_consumer {
public:
    /// What the thread that waits for an answer does with all others that come.
    using route = std::function<void(incoming)>;

    /// @param index  of the stream, for the tokens of answers
    /// @param options  must outlive it
    group_consumer(std::string stream, std::size_t index, const membership& member, const nats_options& options,
                   route others);

    [[nodiscard]] std::vector<delivery> read(session& on, std::uint64_t generation, std::size_t limit,
                                             const net::deadline& until);
    void ack(session& on, std::span<const std::string> entries, const net::deadline& until);
    /// Says that we live, and that what is in hand is being worked on.
    void heartbeat(session& on, const net::deadline& until);
    /// Gives the lease up; what is in hand is for the next holder.
    void release(session& on, const net::deadline& until);

    /// Asks for the next message, unless that is under way; `wait` will get it.
    void listen(session& on, std::uint64_t generation);
    /// A message of its consumer.
    void take(incoming message, std::uint64_t sequence);
    /// What the server says of a pull of ours.
    void take_status(const incoming& message, std::string_view pull);
    [[nodiscard]] const std::string& durable() const noexcept { return durable_; }
    [[nodiscard]] bool has_some() const noexcept { return !fetched_.empty(); }
    /// False while another member reads, or there is no stream yet: only time can change that.
    [[nodiscard]] bool is_reading() const noexcept { return is_attached_ && lease_.is_held(); }
    /// True when a pull under way is not heard of any more: its consumer is gone, or the request was lost.
    [[nodiscard]] bool is_deaf() const;
    /// Looks at the consumer before it is used again.
    void attach_again() noexcept {
        is_attached_ = false;
        pull_.reset();
    }

private:
    using clock_type = std::chrono::steady_clock;

    struct pull {
        std::uint64_t number = 0;
        std::size_t left = 0;  ///< messages that may still come
        bool is_bell = false;  ///< waits for one message, and tells that it lives
        clock_type::time_point heard{};
    };

    /// True when it may read.
    [[nodiscard]] bool attach(session& on, std::uint64_t generation, const net::deadline& until);
    [[nodiscard]] bool find_stream(session& on, const net::deadline& until);
    void compare_stream(session& on, const net::deadline& until);
    void ensure_consumer(session& on, const net::deadline& until);
    [[nodiscard]] json::object new_config(session& on, const net::deadline& until) const;
    [[nodiscard]] json::object with_usual_settings(json::object config) const;
    void write_config(session& on, const json::object& config, const net::deadline& until);
    void collect_pending(session& on, const net::deadline& until);
    void fetch(session& on, std::size_t wanted, const net::deadline& until);
    /// Acknowledges one message, and waits until the server has taken it.
    void confirm(session& on, const std::string& where, const net::deadline& until);
    void send_pull(session& on, json::object request, std::size_t wanted, bool is_bell);
    /// Until the pull has ended, or the time has.
    void await_pull(session& on, const net::deadline& until);
    [[nodiscard]] std::size_t fitting(std::size_t wanted) const;
    [[nodiscard]] delivery hand_out(std::uint64_t sequence, incoming message);
    void forget_all();

    std::string stream_;
    std::string subject_;
    std::size_t index_;
    membership member_;
    const nats_options& options_;
    route route_;
    group_lease lease_;
    std::string durable_;
    std::string kept_in_;     ///< JetStream's stream
    std::string made_at_;     ///< when that was made, by its server
    std::uint64_t life_ = 0;  ///< how often it was made anew while we read: entries of former ones are not its own
    json::object config_;     ///< of the consumer, as it is now
    bool is_attached_ = false;
    std::uint64_t generation_ = 0;  ///< of the session that it is attached over
    std::optional<pull> pull_;
    std::uint64_t last_pull_ = 0;
    std::map<std::uint64_t, incoming> fetched_;     ///< not handed out, by sequence
    std::map<std::uint64_t, std::string> in_hand_;  ///< where to acknowledge what was handed out, by sequence
    std::uint64_t next_ = 0;                        ///< behind everything that ever came; 0: nothing did
    bool told_no_stream_ = false;
    std::size_t average_bytes_ = 0;
};

}  // namespace sluice::broker::nats
