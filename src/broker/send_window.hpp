#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/admission.hpp"
#include "broker/publisher.hpp"

namespace sluice::broker {

/// How much may be on its way to a broker.
struct send_limits {
    std::size_t messages = 256;
    std::size_t bytes = std::size_t{8} << 20;  ///< of bodies; one larger body goes alone
    std::size_t largest_message = 0;           ///< bytes; 0: no limit
    /// Of one key only one message is on its way, so that none passes one that is refused. False for a broker that
    /// takes a whole run of messages or none of it.
    bool one_per_key = true;
};

/// Decides which messages are sent when, for a publisher whose broker confirms each message by itself. It lives as long
/// as the publisher, and knows what is still on its way when a batch ends. Pure: no clock, no I/O.
///
/// - One message of a key is on its way, many keys are: a refusal stops the messages behind it before they are sent.
///   Within that, messages go in the order of the batch.
/// - To give up is not to recall. What was sent and not confirmed in time is waited for, for as long as its connection
///   lives: it is not sent once more when the lane asks for it again, and nothing of its key passes it.
/// - A failure that covers several messages makes none of them refused: they are sent again one at a time, until the
///   one is found that fails alone.
///
///     window.begin(batch);
///     while (!window.is_settled() && in_time) {
///         while (auto each = window.next()) transmit(each->number, *each->message);
///         …                                 // window.settle(number, verdict), window.failed_together(…)
///     }
///     return window.finish({"no confirmation in time"});
///
/// Thread safety: used by one thread at a time. The batch must live from `begin` to `finish`.
class send_window {
public:
    /// Names one transmission; never used twice, never 0.
    using ticket = std::uint64_t;
    struct transmission {
        ticket number = 0;
        const outgoing* message = nullptr;  ///< never null
    };

    explicit send_window(const send_limits& limits) : limits_{limits} {}

    /// For the batches to come, when the broker has told of another limit. Not between `begin` and `finish`.
    void set_limits(const send_limits& limits) { limits_ = limits; }

    void begin(std::span<const outgoing> batch);
    /// The next message to send, which is on its way from now on; nothing when all are, or must wait for an answer.
    [[nodiscard]] std::optional<transmission> next();
    /// It did not leave: it is the next one again.
    void take_back(ticket number);
    /// The broker's answer. One to a transmission that is not on its way is ignored. `unreachable` says that it may
    /// have been taken, or not, and that no answer will come.
    void settle(ticket number, verdict answer);
    /// One answer to all that is on its way. The verdict of the message when there is only one; else nobody's.
    void failed_together(const verdict& answer);
    /// The connection is lost: nothing that is on its way will be answered. All of it is in doubt, and may be sent
    /// again once a later batch has it.
    void lost_connection(const unreachable& why);

    /// True when every message of the batch has its verdict.
    [[nodiscard]] bool is_settled() const noexcept { return undecided_ == 0; }
    /// True when no message of the batch waits to be sent.
    [[nodiscard]] bool is_all_sent() const noexcept { return undecided_ + given_up_.size() <= flying_.size(); }
    /// One per message, in order; `why` for those without an answer.
    [[nodiscard]] std::vector<verdict> finish(const unreachable& why);

    /// Also those of batches before this one.
    [[nodiscard]] std::size_t on_their_way() const noexcept { return flying_.size(); }
    [[nodiscard]] std::size_t bytes_on_their_way() const noexcept { return flying_bytes_; }

private:
    /// What tells one message from all others, also when its id is used twice.
    struct identity {
        std::string stream;
        std::string message_id;
        std::uint64_t content = 0;

        friend auto operator<=>(const identity&, const identity&) = default;
    };
    struct flight {
        std::size_t bytes = 0;
        std::optional<std::size_t> index{};  ///< in the batch; nothing: given up
        std::string key{};                   ///< once it was given up
        std::optional<identity> who{};       ///< the same
    };
    /// The messages of one key in the batch. Those that wait are a list through `behind_`: a batch makes no containers
    /// for its keys.
    struct line {
        bool is_taken = false;               ///< one of them is on its way, or is the next one of its key to be sent
        std::optional<std::size_t> first{};  ///< of those that wait
        std::size_t last = 0;                ///< of them, when there is a first one
    };
    using earliest_first = std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>>;

    [[nodiscard]] static identity identity_of(const outgoing& message);
    /// True when the message needs no sending: it is on its way, or was answered after its batch had ended.
    [[nodiscard]] bool is_sent_before(std::size_t index);
    void take_lines_of_earlier_batches();
    void line_up(std::size_t index);
    /// Nothing of the key is on its way any more: the next one may go.
    void free_line(std::string_view key);
    [[nodiscard]] std::string_view key_of(const flight& one) const {
        return one.index ? batch_[*one.index].key : std::string_view{one.key};
    }
    void decide(std::size_t index, verdict v);
    void remember(identity who, verdict answer);
    [[nodiscard]] flight land(std::map<ticket, flight>::iterator which);

    send_limits limits_;
    ticket last_ = 0;
    std::map<ticket, flight> flying_;  ///< in the order of sending
    std::size_t flying_bytes_ = 0;
    std::size_t to_go_alone_ = 0;           ///< so many answers are awaited one at a time
    std::map<identity, ticket> given_up_;   ///< and on their way
    std::map<identity, verdict> answered_;  ///< after they were given up, and not asked for since
    std::deque<identity> answered_order_;   ///< the oldest first; some are gone from `answered_`

    std::span<const outgoing> batch_;
    std::optional<admission> gate_;
    std::vector<std::optional<verdict>> verdicts_;
    std::size_t undecided_ = 0;
    earliest_first ready_;
    std::unordered_map<std::string_view, line> lines_;
    std::vector<std::optional<std::size_t>> behind_;  ///< by message: the next one of its key that waits
};

}  // namespace sluice::broker
