#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>

/// Handlers whose messages are handled one after the other.
///
/// @code
/// struct statement_writer {
///     /// One statement for each customer: what concerns one of them is handled in the order of arrival.
///     static std::string sequential_key(const auto& event) { return event.customer_id.str(); }
///
///     void operator()(const OrderPlaced& e, sluice::context& in) const;
///     void operator()(const PaymentTaken& e, sluice::context& in) const;
/// };
/// domain.event_handler<statement_writer, OrderPlaced, PaymentTaken>();
/// @endcode
///
/// Messages with one key are handled one at a time, in the order in which they arrive in each stream, across all
/// streams that the handler reads and across all processes. Messages of different keys are handled side by side when
/// the subscription's `concurrency` allows. A message with an empty key waits for no other.
///
/// One process at a time works for a sequential handler; the others stand by and take over. What it changes must live
/// in the database `default`, where the lease is that decides who works: what a former owner still commits is refused
/// there.
namespace sluice::detail {

/// What may be returned by `sequential_key`: a text of any kind, or a whole number.
template <class T>
concept sequence_key = std::convertible_to<const T&, std::string_view> || std::integral<T> || requires(const T& t) {
    { t.str() } -> std::convertible_to<std::string>;
};

template <class Handler, class Event>
concept has_sequential_key = requires(const Event& e) {
    Handler::sequential_key(e);
};

template <class Handler, class Event>
[[nodiscard]] std::string sequence_key_of(const Event& event) {
    const auto& key = Handler::sequential_key(event);
    using type = std::remove_cvref_t<decltype(key)>;
    static_assert(sequence_key<type>, "`sequential_key` returns a text, an identifier or a whole number");
    if constexpr (std::convertible_to<const type&, std::string_view>) {
        return std::string{std::string_view{key}};
    } else if constexpr (std::integral<type>) {
        return std::to_string(key);
    } else {
        return key.str();
    }
}

}  // namespace sluice::detail
