#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/describe/class.hpp>

#include <sluice/codec.hpp>
#include <sluice/contract.hpp>
#include <sluice/fields.hpp>
#include <sluice/violations.hpp>

namespace sluice {

namespace detail {

/// An event as an aggregate recorded it: validated and encoded, waiting for the unit of work.
struct recorded_event {
    std::string_view type;  ///< C++ name of the event type; static storage
    std::string data;       ///< compact JSON object
};

/// What the unit of work may do with an aggregate.
struct aggregate_access;

}  // namespace detail

/// Common part of all aggregates; users derive from `aggregate<Self>`.
class aggregate_root {
public:
    virtual ~aggregate_root() = default;

    /// Version in the database; -1 before the first commit.
    [[nodiscard]] std::int64_t version() const noexcept { return version_; }

protected:
    aggregate_root() = default;
    aggregate_root(const aggregate_root&) = default;
    aggregate_root(aggregate_root&&) = default;
    aggregate_root& operator=(const aggregate_root&) = default;
    aggregate_root& operator=(aggregate_root&&) = default;

    void record(detail::recorded_event event) { recorded_.push_back(std::move(event)); }

private:
    friend struct detail::aggregate_access;

    std::int64_t version_ = -1;
    std::vector<detail::recorded_event> recorded_;
};

/// A consistency boundary whose state is private and whose changes are told as events.
///
/// State members are named once for the codec, the first `identifier` among them is the identity, and an optional
/// `void check(sluice::violations&) const` states the invariants; they are verified before every commit.
///
/// @code
/// class Order : public sluice::aggregate<Order> {
/// public:
///     void ship(sluice::date_time at) { shipped_ = true; raise(OrderShipped{.order_id = order_id_, .shipped_at = at});
///     } void check(sluice::violations& v) const { if (...) v.add("shipped", "…"); }
/// private:
///     sluice::identifier order_id_;
///     bool shipped_ = false;
///     BOOST_DESCRIBE_CLASS(Order, (), (), (), (order_id_, shipped_))
/// };
/// @endcode
///
/// Thread safety: none; an aggregate lives inside one unit of work.
template <class Self>
class aggregate : public aggregate_root {
protected:
    /// Records an event. It leaves with the next commit of the unit that holds this aggregate, or never.
    /// @throws validation_error naming every field of the event that breaks its rule
    template <event_type Event>
    void raise(const Event& event) {
        static_assert(std::same_as<typename detail::contract_type<Event>::aggregate_type, Self>,
                      "this event's contract names another aggregate: event_of<…> must name the class that raises it");
        codec::require_valid(event);
        record({reflect::type_name<Event>(), codec::encode(event)});
    }
};

}  // namespace sluice
