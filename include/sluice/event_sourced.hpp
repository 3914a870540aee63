#pragma once

#include <concepts>

#include <sluice/aggregate.hpp>
#include <sluice/detail/stored.hpp>

namespace sluice {

namespace detail {

/// The domain's way to the `apply` functions of an aggregate.
struct event_application;

}  // namespace detail

/// An aggregate that is stored as its events and nothing else; its state is what they add up to.
///
/// State changes in `void apply(const Event&)` only, one overload for each event, and `raise` calls it. Overloads may
/// be private; the class then says `friend sluice::event_sourced<Account>;`. An `apply` is run again whenever the
/// aggregate is read, so it takes everything from the event (no clock, no random number, no look at other things) and
/// refuses nothing: what may not happen is refused before, by the member function that raises or by the rules.
///
/// The members of the state are described as for `aggregate`, which snapshots and rules need; the class is default
/// constructible and copyable. Declared, added and read like any other aggregate.
///
/// @code
/// class Account : public sluice::event_sourced<Account> {
/// public:
///     Account() = default;
///     explicit Account(const sluice::identifier& id) { raise(AccountOpened{.account_id = id}); }
///     void deposit(std::int64_t cents) { raise(MoneyDeposited{.account_id = account_id_, .cents = cents}); }
///     void check(sluice::violations& v) const { if (balance_ < 0) v.add("balance", "must not be negative"); }
/// private:
///     friend sluice::event_sourced<Account>;
///     void apply(const AccountOpened& e) { account_id_ = e.account_id; }
///     void apply(const MoneyDeposited& e) { balance_ += e.cents; }
///     sluice::identifier account_id_;
///     std::int64_t balance_ = 0;
///     BOOST_DESCRIBE_CLASS(Account, (), (), (), (account_id_, balance_))
/// };
/// @endcode
///
/// Thread safety: none; an aggregate lives inside one unit of work.
template <class Self>
class event_sourced : public aggregate_root {
protected:
    /// Lets an event happen: validates it, verifies `check_before` (not for the first event, before which there is
    /// nothing), applies it, verifies the fields' rules and `check`, and records it for the next commit. When one of
    /// these throws, the aggregate is as it was before.
    /// @throws validation_error naming every rule that is broken; whatever `apply` throws
    template <event_type Event>
    void raise(const Event& event) {
        static_assert(std::same_as<typename detail::contract_type<Event>::aggregate_type, Self>,
                      "this event's contract names another aggregate: event_of<…> must name the class that raises it");
        static_assert(applies<Event>(),
                      "the aggregate has no `void apply(const Event&)` for the event that it raises; when it is "
                      "private, add `friend sluice::event_sourced<Aggregate>;`");
        static_cast<void>(detail::raised<Self, Event>);
        codec::require_valid(event);
        auto& self = static_cast<Self&>(*this);
        if (has_begun()) detail::require_changeable(self);
        detail::undo<Self> undo{self};
        // Encoded first: the event may refer to members that `apply` changes.
        detail::recorded_event recorded{reflect::type_name<Event>(), codec::encode(event)};
        self.apply(event);
        codec::require_valid(self);
        record(std::move(recorded));
        undo.keep();
    }

private:
    friend struct detail::event_application;

    template <class Event>
    static consteval bool applies() {
        return requires(Self & self, const Event& event) { self.apply(event); };
    }
    template <class Event>
    static void apply_to(Self& self, const Event& event) {
        self.apply(event);
    }
};

/// A class whose state is told by its events.
template <class Aggregate>
concept event_sourced_type = std::derived_from<Aggregate, event_sourced<Aggregate>>;

namespace detail {

struct event_application {
    template <class Aggregate, class Event>
    static consteval bool exists() {
        return event_sourced<Aggregate>::template applies<Event>();
    }

    /// Applies a stored event. Verifies no rule of the aggregate: what has happened has happened.
    /// @throws validation_error when the data is not that of the event; whatever `apply` throws
    template <class Aggregate, class Event>
    static void apply(aggregate_root& object, const json::value& data) {
        event_sourced<Aggregate>::apply_to(static_cast<Aggregate&>(object), read_event<Event>(data));
    }
};

}  // namespace detail
}  // namespace sluice
