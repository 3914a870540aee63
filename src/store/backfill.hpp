#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/error.hpp>
#include <sluice/time.hpp>

#include "store/records.hpp"

/// Events that were committed before a broker was there, or was meant to have them, are given to its lane afterwards:
/// in the order of the log, and before anything that is newer.
namespace sluice::store {

/// How a backfill stands. There is one at a time for a broker that is neither done nor cancelled.
enum class backfill_state {
    running,    ///< the lane takes its events page by page
    paused,     ///< an operator lets it rest; what is newer waits, too
    done,       ///< the lane has all of them
    cancelled,  ///< the rest is not given to the lane
};

[[nodiscard]] const char* to_string(backfill_state state) noexcept;
/// @throws decode_error naming the word and the allowed ones
[[nodiscard]] backfill_state backfill_state_from(std::string_view word);

/// True while the lane hands out nothing above the backfill's position.
[[nodiscard]] constexpr bool holds_back(backfill_state state) noexcept {
    return state == backfill_state::running || state == backfill_state::paused;
}

/// Which events a broker is to get.
struct backfill_order {
    std::string broker{};
    sequence after = 0;                  ///< only events with a higher number
    std::vector<std::string> types{};    ///< of these types only: `Shop.OrderShipped.v1`
    std::vector<std::string> streams{};  ///< of these streams or stream categories only; empty: any
    double rate = 0;                     ///< events per second; 0: as fast as the lane can
};

/// Whether the order is about an event. Pure.
[[nodiscard]] bool is_ordered(const backfill_order& order, std::string_view type, std::string_view stream,
                              std::string_view stream_category);

/// A backfill as the database has it.
struct backfill {
    std::int64_t number = 0;
    backfill_order order{};
    backfill_state state = backfill_state::running;
    sequence position = 0;   ///< every event of it up to here is the lane's
    sequence upto = 0;       ///< the last number that it looks at
    std::int64_t given = 0;  ///< events that the lane has got by it
    bool waits = false;      ///< it begins when the transactions have ended that ran when it was ordered
    date_time begun_at{};
    date_time paced_at{};  ///< up to this instant its rate is used up
    std::optional<date_time> ended_at{};
};

/// Another backfill of the broker has not ended.
[[nodiscard]] usage_error backfill_under_way(std::string_view broker);

/// What is in a backfill's range.
struct backfill_count {
    std::int64_t events = 0;  ///< that it would give to the lane
    std::int64_t known = 0;   ///< that match, and that the broker has or gets anyway
};

/// What the rate of a backfill allows.
struct backfill_pace {
    std::size_t events = 0;  ///< so many may be given to the lane now
    date_time from{};        ///< until then the rate is used up
    duration per_event{};

    [[nodiscard]] date_time paced_at(std::size_t given) const {
        return from + static_cast<std::int64_t>(given) * per_event;
    }
};

/// Another engine's clock may be ahead of ours: what it has written is waited for some seconds only. Pure.
/// @param most  events, whatever the rate
[[nodiscard]] backfill_pace pace_of(const backfill& of, date_time now, std::size_t most);

/// How far a lane may go while events of a backfill are still to come.
struct backfill_place {
    sequence position = 0;  ///< nothing above it is handed out
    sequence upto = 0;
    bool is_paused = false;

    friend bool operator==(const backfill_place&, const backfill_place&) = default;
};

/// A step looks at no more events than this, so that the lane can renew its lease in between.
inline constexpr std::int64_t most_examined_for_backfill = 20'000;
/// While so many rows of the broker are open, none is added: one of its lanes may stand still.
inline constexpr std::int64_t most_open_for_backfill = 10'000;

/// What a step did.
struct backfill_step {
    bool owned = true;   ///< false: the lease has another epoch, and nothing happened
    bool moved = false;  ///< there may be rows for the lane, or nothing holds it back any more
};

}  // namespace sluice::store
