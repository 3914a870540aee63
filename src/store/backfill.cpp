#include "store/backfill.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "base/backoff.hpp"
#include "base/seconds.hpp"

namespace sluice::store {
namespace {

constexpr std::array state_words{std::pair{backfill_state::running, "running"},
                                 std::pair{backfill_state::paused, "paused"}, std::pair{backfill_state::done, "done"},
                                 std::pair{backfill_state::cancelled, "cancelled"}};

}  // namespace

const char* to_string(backfill_state state) noexcept {
    for (const auto& [each, word] : state_words) {
        if (each == state) return word;
    }
    return "running";
}

backfill_state backfill_state_from(std::string_view word) {
    for (const auto& [state, known] : state_words) {
        if (known == word) return state;
    }
    throw decode_error{"'" + std::string{word} +
                       "' is no state of a backfill; expected running, paused, done or cancelled"};
}

bool is_ordered(const backfill_order& order, std::string_view type, std::string_view stream,
                std::string_view stream_category) {
    const auto names = [](const std::vector<std::string>& all, std::string_view one) {
        return std::ranges::find(all, one) != all.end();
    };
    if (!names(order.types, type)) return false;
    return order.streams.empty() || names(order.streams, stream) || names(order.streams, stream_category);
}

usage_error backfill_under_way(std::string_view broker) {
    return usage_error{
        fmt::format("a backfill of {0} has not ended; see `sluice outbox backfill {0} --status`, and "
                    "end it with --cancel before you order another one",
                    broker)};
}

backfill_pace pace_of(const backfill& of, date_time now, std::size_t most) {
    const double rate = of.order.rate;
    if (rate <= 0) return {.events = most, .from = now};
    // What was not used is made up for, but for no more than a second's worth, or one event.
    const auto earliest = now - base::from_seconds(std::max(rate, 1.0) / rate);
    constexpr duration believable = std::chrono::seconds{5};
    const auto from = of.paced_at > now + believable ? earliest : std::clamp(of.paced_at, earliest, now);
    constexpr double rounding = 1e-6;
    const double saved = std::floor(base::seconds(now - from) * rate + rounding);
    return {.events = std::min(most, static_cast<std::size_t>(saved)),
            .from = from,
            .per_event = base::from_seconds(1 / rate)};
}

}  // namespace sluice::store
