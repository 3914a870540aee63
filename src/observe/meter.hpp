#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include <sluice/time.hpp>

#include "observe/exemplar.hpp"

namespace sluice::observe {

/// What a lane settled in one transaction.
struct settled_rows {
    std::string_view database;
    std::string_view broker;
    std::size_t published = 0;
    std::size_t failed = 0;               ///< refused by the broker, to be tried again
    std::size_t abandoned = 0;            ///< refused by the broker for the last time
    std::size_t overtaken = 0;            ///< read only after the lane had gone past their number
    std::span<const double> latencies{};  ///< of each published row: seconds from its commit to the confirmation
    std::optional<exemplar> example{};    ///< of the latencies; nothing unless a row's trace is recorded
};

/// What became of one attempt to handle a message.
enum class handling {
    handled,
    failed,
    expired,    ///< not tried: the deadline of the command had passed
    put_off,    ///< to be tried again later
    set_aside,  ///< to the dead letters
    dropped     ///< given up by a subscription without dead letters
};

struct handled_message {
    std::string_view handler;
    std::string_view broker;
    std::string_view stream;
    handling what = handling::handled;
    duration took{};                    ///< in the handler; of `handled` and `failed`
    std::optional<exemplar> example{};  ///< that time; nothing unless the trace of the attempt is recorded
};

/// A circuit breaker of a subscription turned.
struct breaker_change {
    std::string_view handler;
    std::string_view broker;
    std::string_view stream;
    std::string_view to;  ///< opened, half_open, closed
};

/// Counts what lanes and subscriptions do. Trace events tell the same in words, but building one costs as much as
/// publishing a row; counts come by the batch and cost next to nothing.
///
/// Thread safety: the members are called by all lanes and subscriptions, possibly at once. Be quick.
class meter {
public:
    virtual ~meter() = default;

    virtual void count(const settled_rows& rows) noexcept = 0;
    virtual void count(const handled_message& message) noexcept = 0;
    virtual void count(const breaker_change& change) noexcept = 0;
};

}  // namespace sluice::observe
