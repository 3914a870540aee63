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
#include "base/moment.hpp"
#include "broker/reader.hpp"
#include "consume/circuit_breaker.hpp"

namespace sluice::consume {

/// A delivery and what it says; `content` is empty when the bytes are no message.
struct parcel {
    std::size_t source = 0;  ///< index of the stream it came from: primary ones first, then their backfill lanes
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
    std::size_t bytes = 0;   ///< of the message, which stays in memory until then
};

/// Names a parcel while it is in hand: the number of its arrival.
using parcel_number = std::uint64_t;

/// Why an attempt came to nothing.
struct trouble {
    std::string reason;  ///< one line
    std::string code;    ///< stable word
};

/// The actions. Pointers are valid until the next call to a non-const member of the plan.
struct handle_parcel {
    parcel_number number;  ///< report with `handled`, `skipped`, `failed`, `contended`, `hindered`, `interrupted` or
                           ///< `withdrawn`
    const parcel* what;    ///< valid until it is reported
};
struct handle_together {
    std::vector<handle_parcel> parcels;  ///< of different keys; in one transaction, or each alone; report each
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
    bool hindered = false;  ///< not refused by its handler: hindered, again and again, while others were handled
};
struct set_aside {
    parcel what;
    broker::death why;
    bool hindered = false;  ///< the same
};
struct read_more {
    std::size_t source;
    std::size_t limit;  ///< report with `received`
};
struct breaker_turned {  ///< to be told; what follows from it is done already
    circuit_breaker::state to;
    std::size_t failures;  ///< messages that failed in a row
};
struct keep_claims {};  ///< heartbeat
struct reopen {};       ///< the claims lapsed: others may hold our messages now; report with `lost`
struct rest {
    instant until;
    bool listen = false;  ///< new messages end the rest; otherwise nothing would be read now
};
using action = std::variant<handle_parcel, handle_together, acknowledge, put_off, set_aside, read_more, breaker_turned,
                            keep_claims, reopen, rest>;

struct plan_settings {
    std::size_t sources = 1;
    std::size_t primaries = 1;                ///< the first sources; the others are backfill lanes
    bool keys_span_sources = false;           ///< a key is the same one whatever stream a message came from
    std::size_t hands = 1;                    ///< parcels, or bundles of them, handled side by side
    std::size_t together = 1;                 ///< most parcels handled in one transaction
    std::size_t read_limit = 100;             ///< messages per read
    std::size_t first_read = 8;               ///< messages of the first read, when nobody knows how large they are
    std::size_t read_bytes = 8'388'608;       ///< per read; how many messages that are is judged by the last reads
    std::size_t max_held = 1000;              ///< messages in memory; nothing is read while there is no room
    std::size_t max_held_bytes = 67'108'864;  ///< their bodies
    int max_attempts = 3;                     ///< in total, then the dead letters
    base::backoff retry{};                    ///< between the attempts of one message
    base::backoff outage{.first = std::chrono::milliseconds{500}};  ///< while the database is away
    int patience = 3;  ///< hindrances of one message in a row, before others are tried and it may be to blame
    /// Between attempts that another writer was faster than; cut by chance to between a half and the whole.
    base::backoff contention{.first = std::chrono::milliseconds{20}, .factor = 2, .most = std::chrono::seconds{1}};
    int most_conflicts = 20;    ///< of one message in a row: a race is not lost that often
    int breaker_threshold = 0;  ///< failing messages in a row that open the circuit breaker; 0: none
    duration breaker_reset{std::chrono::minutes{1}};
    duration claim{std::chrono::seconds{30}};
    duration poll{std::chrono::seconds{1}};  ///< longest rest: claims of dead consumers expire without a wake-up
    std::size_t ack_limit = 50;              ///< handled messages that a crash may deliver again
    duration ack_delay{std::chrono::milliseconds{100}};
};

/// Decides what a subscription does next. Pure: no clock, no I/O; the shell performs each action and reports back. It
/// waits by the monotonic half of the time; the other half only enters what is stored.
///
/// Messages of one key are handled in the order of arrival, one at a time, whatever the number of hands. A message that
/// fails waits for its next attempt and holds back later messages of its own key only; after the last attempt it is set
/// aside and its key goes on. What nobody can handle is set aside at once.
///
/// When the database is away the subscription pauses, and no message loses an attempt. A message that is *hindered*, by
/// a lock or a connection that breaks, pauses the subscription, too; but after `patience` times in a row another one is
/// tried. When others are handled between two of its hindrances, the surroundings are sound: it pays an attempt, waits
/// like one that failed, and delays no other key any more. When the others are hindered as well, all wait. A message
/// that loses a race to another writer costs nothing and waits a little; one that loses `most_conflicts` in a row is
/// failing.
///
/// With `together` above 1, messages of different keys whose turn it is are handed out as a bundle, to be handled in
/// one transaction. One that has met trouble is handed out alone, and so is one of a backfill lane.
///
/// A message of a backfill lane is handed out only when no primary one is ready, and after a look at the primary
/// streams that is younger than the last message of a backfill lane. So a primary message waits for one of those at
/// most, however many wait, and those wait for nothing else.
///
/// Memory: at most `max_held` messages, and `max_held_bytes` of bodies and what one read may bring; of both the
/// backfill lanes get half.
///
/// Thread safety: none; it belongs to the thread of its subscription.
class subscription_plan {
public:
    explicit subscription_plan(plan_settings settings)
        : settings_{settings},
          breaker_{settings.breaker_threshold, settings.breaker_reset},
          acks_(settings.sources),
          largest_(settings.sources, settings.read_bytes / settings.first_read) {}

    [[nodiscard]] action next(base::moment now);

    /// What a read of `source` gave; nothing means that the stream is empty for now.
    void received(std::size_t source, std::vector<arrival> arrivals, base::moment now);

    /// The parcel in hand was handled and its effect is durable. True when this ends an outage.
    bool handled(parcel_number id, bool duplicate, base::moment now);
    /// The parcel in hand needs no handling any more, which says nothing of the handler or the surroundings.
    void skipped(parcel_number id, base::moment now);
    /// The handler refused the parcel in hand: this costs an attempt. True when this ends an outage.
    bool failed(parcel_number id, std::string reason, std::string code, base::moment now);
    /// Another writer was faster than the handler: it is handled again after a short wait.
    /// @param chance  from [0, 1), for that wait
    /// @param why  counts when this happens too often
    void contended(parcel_number id, trouble why, double chance, base::moment now);
    /// The database could not do what the parcel in hand needs, and this may be the parcel's fault or not. True when
    /// this begins an outage.
    bool hindered(parcel_number id, trouble why, base::moment now);
    /// Nobody could handle the parcel in hand now: it is handled again after a pause, at no cost. True when this begins
    /// an outage.
    bool interrupted(parcel_number id, base::moment now);
    /// The parcel in hand was not handled, and that says nothing about it or the surroundings.
    void withdrawn(parcel_number id);

    void acknowledged(std::size_t source);
    /// The consumers are new: the broker hands out again what is not settled. What waits for its acknowledgement stays
    /// known, so it is acknowledged and not handled again; and what is in hand stays there, so nothing of its key is
    /// handed out until it is reported, itself included.
    void lost(base::moment now);

    /// The acknowledgements still to be made, when the subscription stops.
    [[nodiscard]] std::optional<acknowledge> last_acknowledgement() const;
    /// The same for failed attempts that the broker does not know yet.
    [[nodiscard]] std::optional<action> last_failure();

    [[nodiscard]] std::size_t hands() const noexcept { return settings_.hands; }
    [[nodiscard]] std::size_t held() const noexcept { return items_.size(); }
    [[nodiscard]] std::size_t in_hand() const noexcept { return in_hand_.size(); }
    /// @param id  of a parcel in hand
    [[nodiscard]] const parcel& in_hand(parcel_number id) const;
    [[nodiscard]] bool paused(base::moment now) const noexcept { return now.steady < resume_at_; }
    [[nodiscard]] circuit_breaker::state breaker() const noexcept { return breaker_.is(); }

private:
    using number = parcel_number;
    /// A message without a key has a key of its own.
    using lane_key = std::pair<std::size_t, std::string>;
    enum class rank : std::uint8_t { primary, backfill };

    struct item {
        parcel what;
        lane_key key;
        instant due;                       ///< not before this time
        int conflicts = 0;                 ///< in a row
        int hindrances = 0;                ///< since the last attempt that counted
        bool suspect = false;              ///< others were handled while it was hindered
        std::uint64_t handled_before = 0;  ///< messages handled when it was handed out, or hindered at last
    };

    [[nodiscard]] rank rank_of(std::size_t source) const noexcept {
        return source < settings_.primaries ? rank::primary : rank::backfill;
    }
    [[nodiscard]] lane_key key_of(const parcel& what, const std::string& key) const;
    void accept(parcel what, const std::string& key, base::moment now);
    [[nodiscard]] bool adopt(const parcel& again);
    void await_turn(number head);
    [[nodiscard]] parcel take(number done);
    [[nodiscard]] std::optional<parcel> take_orphan(number done);
    void wake_due(base::moment now);
    [[nodiscard]] bool may_hand_out(base::moment now) const;
    [[nodiscard]] std::optional<action> next_parcel(base::moment now);
    [[nodiscard]] bool may_share(number head) const;
    [[nodiscard]] handle_parcel hand_out(std::set<std::pair<rank, number>>::iterator head);
    [[nodiscard]] handle_together gather(handle_parcel first, base::moment now);
    void note(std::optional<circuit_breaker::state> turned);
    /// Counts an attempt of the parcel in hand.
    void charge(parcel_number id, trouble why, bool hindered, base::moment now);
    /// Puts the parcel in hand back, to be handed out again not before `due`.
    void await_retry(parcel_number id, instant due);
    bool begin_outage(base::moment now);
    void count_receipt(std::size_t source, receipt what, base::moment now);
    bool end_outage() noexcept;
    /// Takes a parcel out of the hand for good, to be acknowledged.
    void settle(parcel_number id, bool duplicate, base::moment now);
    [[nodiscard]] std::optional<acknowledge> acknowledgement_due(base::moment now) const;
    [[nodiscard]] std::optional<action> tend_claims(base::moment now);
    [[nodiscard]] std::size_t room_for(rank which) const noexcept;
    [[nodiscard]] std::size_t messages_per_read(std::size_t source) const;
    void hold(const parcel& what) noexcept;
    void let_go(const parcel& what) noexcept;
    [[nodiscard]] std::optional<read_more> read(rank which);
    [[nodiscard]] rest resting(base::moment now);
    /// What the members promise each other: asserted, while there are few enough items to look at all of them.
    [[nodiscard]] bool is_consistent() const;
    [[nodiscard]] bool heads_are_placed() const;

    plan_settings settings_;
    circuit_breaker breaker_;
    std::deque<breaker_turned> breaker_news_;

    std::map<number, item> items_;
    std::map<lane_key, std::deque<number>> keys_;   ///< per key in order; only the head may be handled
    std::set<std::pair<rank, number>> ready_;       ///< heads whose time has come, primary streams first
    std::set<std::pair<instant, number>> waiting_;  ///< heads that wait for their next attempt
    std::deque<set_aside> burials_;
    std::deque<put_off> deferrals_;
    number next_number_ = 0;

    std::set<number> in_hand_;
    std::map<number, item> orphans_;  ///< in hand, and claimed through consumers that are gone
    std::set<lane_key> busy_;         ///< keys of the orphans
    std::size_t backfill_held_ = 0;
    std::size_t held_bytes_ = 0;           ///< of the items and the orphans
    std::size_t backfill_held_bytes_ = 0;  ///< of the items

    std::vector<std::vector<receipt>> acks_;  ///< by source
    std::size_t ack_count_ = 0;
    std::size_t ack_bytes_ = 0;
    bool ack_before_reading_ = false;  ///< the broker may hand out again what waits for its acknowledgement
    instant oldest_ack_;

    std::vector<std::size_t> largest_;   ///< by source: the largest message of the last reads
    std::set<std::size_t> exhausted_;    ///< sources whose last read gave nothing
    std::map<rank, std::size_t> turns_;  ///< which source of a rank is read next
    instant last_beat_;
    instant resume_at_;
    int outages_ = 0;            ///< interruptions in a row
    std::uint64_t handled_ = 0;  ///< messages with an effect
};

}  // namespace sluice::consume
