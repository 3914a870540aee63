#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <sluice/message.hpp>
#include <sluice/time.hpp>

#include "base/backoff.hpp"
#include "broker/consumer.hpp"

namespace sluice::consume {

/// A delivery and what it says; `content` is empty when the bytes are no message.
struct parcel {
    std::size_t source = 0;  ///< index of the stream it came from: 0 is the primary one, 1 the backfill lane
    broker::delivery delivery;
    std::optional<message> content{};
};

/// What became clear about a parcel by looking at it.
struct wanted {
    std::string key;  ///< messages of one key are handled in order; empty: the message stands alone
};
struct unwanted {};  ///< not for this subscription: acknowledged without a handler
struct unusable {    ///< can never be handled: set aside at once
    std::string reason;
    std::string code;
};
using finding = std::variant<wanted, unwanted, unusable>;

struct arrival {
    parcel what;
    finding is;
};

/// A parcel that is dealt with and waits for its acknowledgement.
struct receipt {
    std::string entry;
    std::optional<message> content{};
    bool duplicate = false;  ///< the inbox knew it already
};

/// The actions. Pointers are valid until the next call to a non-const member of the plan.
struct handle_parcel {
    const parcel* what;  ///< report with `handled`, `failed` or `interrupted`
};
struct acknowledge {
    std::size_t source;
    const std::vector<receipt>* receipts;  ///< report with `acknowledged`
};
struct put_off {
    parcel what;
    int attempts;
    date_time not_before;
    std::string reason;
};
struct set_aside {
    parcel what;
    broker::death why;
};
struct read_more {
    std::size_t source;
    std::size_t limit;  ///< report with `received`
};
struct keep_claims {};  ///< heartbeat
struct reopen {};       ///< the claims lapsed: others may hold our messages now; report with `lost`
struct rest {
    date_time until;
    bool listen = false;  ///< new messages end the rest; otherwise nothing would be read now
};
using action = std::variant<handle_parcel, acknowledge, put_off, set_aside, read_more, keep_claims, reopen, rest>;

struct plan_settings {
    std::size_t sources = 1;       ///< 2 with a backfill lane
    std::size_t read_limit = 100;  ///< messages per read
    std::size_t max_held = 1000;   ///< messages in memory; nothing is read while there is no room
    int max_attempts = 3;          ///< in total, then the dead letters
    base::backoff retry{};         ///< between the attempts of one message
    base::backoff outage{.first = std::chrono::milliseconds{500}};  ///< while the database is away
    duration claim{std::chrono::seconds{30}};
    duration poll{std::chrono::seconds{1}};  ///< longest rest: claims of dead consumers expire without a wake-up
    std::size_t ack_limit = 50;              ///< handled messages that a crash may deliver again
    duration ack_delay{std::chrono::milliseconds{100}};
};

/// Decides what a subscription does next. Pure: no clock, no I/O; the shell performs each action and reports back.
///
/// Messages of one key are handled in the order of arrival. A message that fails waits for its next attempt and holds
/// back later messages of its own key only; after the last attempt it is set aside and its key goes on. What nobody can
/// handle is set aside at once. When the database is away the subscription pauses, and no message loses an attempt.
///
/// Memory: at most `max_held` messages, each as large as the broker allows.
///
/// Thread safety: none; it belongs to the thread of its subscription.
class subscription_plan {
public:
    explicit subscription_plan(plan_settings settings) : settings_{settings}, acks_(settings.sources) {}

    [[nodiscard]] action next(date_time now);

    /// What a read of `source` gave; nothing means that the stream is empty for now.
    void received(std::size_t source, std::vector<arrival> arrivals, date_time now);

    /// The parcel in hand was handled and its effect is durable. True when this ends an outage.
    bool handled(bool duplicate, date_time now);
    /// The handler refused the parcel in hand: this costs an attempt. True when this ends an outage.
    bool failed(std::string reason, std::string code, date_time now);
    /// Nobody could handle the parcel in hand now: it is handled again after a pause, at no cost. True when this begins
    /// an outage.
    bool interrupted(date_time now);

    void acknowledged(std::size_t source);
    /// The consumers are new: the broker hands out again what is not settled. What waits for its acknowledgement stays
    /// known, so it is acknowledged and not handled again.
    void lost(date_time now);

    /// The acknowledgements still to be made, when the subscription stops.
    [[nodiscard]] std::optional<acknowledge> last_acknowledgement() const;

    [[nodiscard]] std::size_t held() const noexcept { return items_.size(); }
    [[nodiscard]] bool paused(date_time now) const noexcept { return now < resume_at_; }

private:
    using number = std::uint64_t;  ///< of arrival
    using lane_key = std::pair<std::size_t, std::string>;

    struct item {
        parcel what;
        lane_key key;
        date_time due;  ///< not before this time
    };

    void accept(parcel what, const std::string& key);
    void await_turn(number head);
    [[nodiscard]] parcel take_current();
    void wake_due(date_time now);
    void count_receipt(std::size_t source, receipt what, date_time now);
    bool end_outage() noexcept;
    [[nodiscard]] std::optional<acknowledge> acknowledgement_due(date_time now) const;
    [[nodiscard]] std::optional<action> tend_claims(date_time now);
    [[nodiscard]] std::optional<read_more> reading() const;
    [[nodiscard]] rest resting(date_time now);

    plan_settings settings_;

    std::map<number, item> items_;
    std::map<lane_key, std::deque<number>> keys_;     ///< per key in order; only the head may be handled
    std::set<std::pair<std::size_t, number>> ready_;  ///< heads whose time has come, primary stream first
    std::set<std::pair<date_time, number>> waiting_;  ///< heads that wait for their next attempt
    std::deque<set_aside> burials_;
    std::optional<put_off> deferral_;
    std::optional<number> current_;
    number next_number_ = 0;

    std::vector<std::vector<receipt>> acks_;  ///< by source
    std::size_t ack_count_ = 0;
    date_time oldest_ack_;

    std::set<std::size_t> exhausted_;  ///< sources whose last read gave nothing
    date_time last_beat_;
    date_time resume_at_;
    int outages_ = 0;  ///< interruptions in a row
};

}  // namespace sluice::consume
