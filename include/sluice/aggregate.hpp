#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/describe/class.hpp>

#include <sluice/codec.hpp>
#include <sluice/contract.hpp>
#include <sluice/detail/raised_events.hpp>
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

template <class Self>
class undo;

}  // namespace detail

/// Common part of all aggregates; users derive from `aggregate<Self>` or `event_sourced<Self>`.
///
/// Thread safety: none; an aggregate lives inside one unit of work. Lifetime: one that a repository handed out lives as
/// long as its unit.
class aggregate_root {
public:
    virtual ~aggregate_root() = default;

    /// Version in the database; -1 before the first commit. Of an event-sourced aggregate: the position of its last
    /// stored event, counted from 0.
    [[nodiscard]] std::int64_t version() const noexcept { return version_; }

protected:
    aggregate_root() = default;
    aggregate_root(const aggregate_root&) = default;
    aggregate_root(aggregate_root&&) = default;
    aggregate_root& operator=(const aggregate_root&) = default;
    aggregate_root& operator=(aggregate_root&&) = default;

    void record(detail::recorded_event event) {
        recorded_.push_back(std::move(event));
        has_begun_ = true;
    }
    /// False until the first event of a new aggregate.
    [[nodiscard]] bool has_begun() const noexcept { return has_begun_; }

private:
    friend struct detail::aggregate_access;
    template <class>
    friend class detail::undo;

    std::int64_t version_ = -1;
    bool has_begun_ = false;
    std::vector<detail::recorded_event> recorded_;
};

namespace detail {

/// Puts an aggregate back as it was when this object was made, recorded events included, unless it is kept.
template <class Self>
class undo {
    static_assert(std::copy_constructible<Self> && std::is_move_assignable_v<Self>,
                  "an aggregate must be copyable, so that a change that fails can be undone");

public:
    explicit undo(Self& object) : object_{object}, recorded_{root().recorded_.size()}, before_{copy_of_state()} {}
    undo(const undo&) = delete;
    undo& operator=(const undo&) = delete;
    ~undo() {
        if (kept_) return;
        std::vector<recorded_event> recorded = std::move(root().recorded_);
        recorded.erase(recorded.begin() + static_cast<std::ptrdiff_t>(recorded_), recorded.end());
        object_ = std::move(before_);
        root().recorded_ = std::move(recorded);
    }

    void keep() noexcept { kept_ = true; }

private:
    [[nodiscard]] aggregate_root& root() noexcept { return object_; }
    /// Without the events, of which a long unit of work may have recorded many.
    [[nodiscard]] Self copy_of_state() {
        struct aside {
            aggregate_root& of;
            std::vector<recorded_event> recorded = std::exchange(of.recorded_, {});
            ~aside() { of.recorded_ = std::move(recorded); }
        };
        const aside events{root()};
        return object_;
    }

    Self& object_;
    std::size_t recorded_;
    Self before_;
    bool kept_ = false;
};

template <class T>
concept has_check_before = requires(const T& object, violations& broken) {
    object.check_before(broken);
};

struct named_check_before {
    int check_before;
};
template <class T>
struct with_second_check_before : T, named_check_before {};

/// Is there a member of that name, private ones included? (If so, the name means two things in the derived class.)
template <class T>
concept has_member_named_check_before = !std::is_final_v<T> && !requires {
    &with_second_check_before<T>::check_before;
};

/// Verifies what must hold before a change.
/// @throws validation_error naming every rule that is broken
template <class T>
void require_changeable(const T& object) {
    static_assert(has_check_before<T> || !has_member_named_check_before<T>,
                  "T has a member `check_before` that is not the hook for its rules: make it a public "
                  "`void check_before(sluice::violations&) const`, or give it another name");
    if constexpr (has_check_before<T>) {
        violations broken;
        object.check_before(broken);
        codec::detail::require_none(reflect::short_type_name<T>(), broken);
    }
}

}  // namespace detail

/// A consistency boundary whose state is private and whose changes are told as events.
///
/// Its state is stored as it is (for state that is told by its events alone see event_sourced.hpp). State members are
/// named once for the codec, the first `identifier` among them is the identity.
///
/// Two optional hooks, public, state its rules: `void check(sluice::violations&) const` what always holds, verified
/// before every commit and after each `change`, and `void check_before(sluice::violations&) const` what must hold for a
/// `change` to begin.
///
/// @code
/// class Order : public sluice::aggregate<Order> {
/// public:
///     void ship(sluice::date_time at) {
///         change([&] {
///             shipped_ = true;
///             raise(OrderShipped{.order_id = order_id_, .shipped_at = at});
///         });
///     }
///     void check(sluice::violations& v) const { if (...) v.add("shipped", "…"); }
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
        static_cast<void>(detail::raised<Self, Event>);
        codec::require_valid(event);
        record({reflect::type_name<Event>(), codec::encode(event)});
    }

    /// Runs one change, all or nothing: verifies `check_before`, runs it, and verifies the fields' rules and `check`.
    /// When one of the three throws, the aggregate and its recorded events are as they were before. Costs a copy of the
    /// state; a change without it is verified at commit only.
    /// @throws validation_error naming every rule that is broken; whatever the change throws
    template <std::invocable Change>
    void change(Change&& run) {
        auto& self = static_cast<Self&>(*this);
        detail::require_changeable(self);
        detail::undo<Self> undo{self};
        std::forward<Change>(run)();
        codec::require_valid(self);
        undo.keep();
    }
};

}  // namespace sluice
