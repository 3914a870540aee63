#pragma once

#include <concepts>
#include <string_view>
#include <type_traits>

namespace sluice {

/// The contract of an event: which aggregate raises it, and whether it is part of the service's public contract.
///
/// @code
/// struct OrderShipped {
///     static constexpr sluice::event_of<Order> contract{.published = true};
///     sluice::identifier order_id;
/// };
/// @endcode
///
/// Thread safety: a constant.
template <class Aggregate>
struct event_of {
    using aggregate_type = Aggregate;

    bool published = false;      ///< true: one more outbox row for each external broker
    int version = 1;             ///< of the payload; part of the message type
    std::string_view name = {};  ///< on the wire; the struct's own name when empty
};

/// The contract of a command: which aggregate it is addressed to, and what its handler returns.
///
/// @code
/// struct PlaceOrder {
///     static constexpr sluice::command_of<Order, sluice::identifier> contract{};
///     sluice::text customer;
/// };
/// const sluice::identifier order_id = context.process(PlaceOrder{…});
/// @endcode
///
/// @tparam Result  `void`, or anything a member of a command may be (see codec.hpp): it is written as JSON for callers
///         by name and for those who repeat a command with the same idempotency key
///
/// Thread safety: a constant.
template <class Aggregate, class Result = void>
struct command_of {
    using aggregate_type = Aggregate;
    using result_type = Result;

    int version = 1;
    std::string_view name = {};
};

namespace detail {
template <class T>
inline constexpr bool is_event_contract = false;
template <class A>
inline constexpr bool is_event_contract<event_of<A>> = true;
template <class T>
inline constexpr bool is_command_contract = false;
template <class A, class R>
inline constexpr bool is_command_contract<command_of<A, R>> = true;

template <class T>
using contract_type = std::remove_cvref_t<decltype(T::contract)>;
template <class Command>
using result_of = typename contract_type<Command>::result_type;
}  // namespace detail

/// A plain struct with `static constexpr sluice::event_of<A> contract`.
template <class T>
concept event_type = requires {
    T::contract;
}
&&detail::is_event_contract<detail::contract_type<T>>;

/// A plain struct with `static constexpr sluice::command_of<A> contract`, or `command_of<A, Result>`.
template <class T>
concept command_type = requires {
    T::contract;
}
&&detail::is_command_contract<detail::contract_type<T>>;

}  // namespace sluice
