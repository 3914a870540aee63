#pragma once

#include <cstdint>

namespace sluice {

class aggregate_root;
class message;

/// Whether each change of an aggregate is followed by one event with its whole state, a *fact event*.
///
/// It is named after the aggregate, `Shop.OrderFactEvent.v1`, and leaves with the commit that made the change, after
/// the other events. Its order is that of its own stream, `shop::order-fact-o-1`: the facts of one aggregate arrive in
/// the order of its versions; between its facts and its other events no order is promised. A removed aggregate has no
/// fact.
enum class facts {
    none,
    internal,  ///< to the internal broker
    published  ///< to each external broker, too: every described member of the aggregate is then part of the contract
};

/// A fact event as a handler of this domain sees it:
/// `domain.event_handler<H, sluice::fact<Order>>()` with `void operator()(const sluice::fact<Order>&, context&) const`.
///
/// Thread safety: a value type, as far as the aggregate is one.
template <class Aggregate>
struct fact {
    Aggregate state;            ///< read tolerantly; detached, so it cannot be added to a repository
    std::int64_t version = -1;  ///< of the aggregate, after the change
};

namespace detail {

template <class T>
inline constexpr bool is_fact = false;
template <class Aggregate>
inline constexpr bool is_fact<fact<Aggregate>> = true;

/// From the sequence of the message. @throws decode_error when it names no version
[[nodiscard]] std::int64_t version_of_fact(const message& m);
/// Makes `state` what is stored with this version, and no new aggregate.
void set_version_of_fact(aggregate_root& state, std::int64_t version);

}  // namespace detail
}  // namespace sluice
