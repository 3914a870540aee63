#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/aggregate.hpp>
#include <sluice/context.hpp>
#include <sluice/event_sourced.hpp>

namespace sluice {

namespace detail {

/// The untyped half of a repository: the identity map of one unit of work.
class unit_view {
public:
    unit_view(unit& in, std::string_view aggregate) : unit_{in}, aggregate_{aggregate} {}

    [[nodiscard]] aggregate_root* find(std::string_view id, bool locks = false) const;
    [[nodiscard]] aggregate_root& get(std::string_view id, bool locks = false) const;
    aggregate_root& add(std::unique_ptr<aggregate_root> object) const;
    void remove(const aggregate_root& object) const;
    [[nodiscard]] std::vector<aggregate_root*> find_by(std::string_view field, const json::value& equals) const;
    [[nodiscard]] std::vector<aggregate_root*> all(std::size_t limit) const;
    [[nodiscard]] std::unique_ptr<aggregate_root> at_version(std::string_view id, std::int64_t version) const;
    [[nodiscard]] std::unique_ptr<aggregate_root> at_time(std::string_view id, date_time time) const;

private:
    unit& unit_;
    std::string_view aggregate_;
};

}  // namespace detail

/// Says that a unit of work wants an aggregate for itself: see `repository::get`.
///
/// Thread safety: a constant.
struct locked_t {
    explicit locked_t() = default;
};
inline constexpr locked_t locked{};

/// The aggregates of one type, as one unit of work sees them.
///
/// Identity map: the same id gives the same object. Objects obtained here are watched: whatever changed is written at
/// commit with a version check, nothing else has to be said. References live as long as the unit of work.
///
/// Thread safety: none, like its context. Lifetime: within that of its unit of work.
template <class Aggregate>
class repository {
public:
    explicit repository(detail::unit& in) : view_{in, reflect::type_name<Aggregate>()} {}

    /// @throws not_found_error naming aggregate and id
    [[nodiscard]] Aggregate& get(std::string_view id) const { return static_cast<Aggregate&>(view_.get(id)); }
    [[nodiscard]] Aggregate* find(std::string_view id) const { return static_cast<Aggregate*>(view_.find(id)); }

    /// The same, once no other unit of work that locks this aggregate is at work; until this one ends, such others
    /// wait. For aggregates that many change at a time, where the version check alone would have most of them begin
    /// anew. Units that do not lock are not kept out, and the version check counts all the same.
    ///
    /// Lock several aggregates in one order everywhere: two units that wait for each other both give up.
    /// @throws not_found_error naming aggregate and id
    /// @throws store_error  retryable when it was not free within the store's lock timeout
    [[nodiscard]] Aggregate& get(std::string_view id, locked_t /*tag*/) const {
        return static_cast<Aggregate&>(view_.get(id, true));
    }
    [[nodiscard]] Aggregate* find(std::string_view id, locked_t /*tag*/) const {
        return static_cast<Aggregate*>(view_.find(id, true));
    }

    /// Takes a new aggregate into the unit. The commit fails with expected_version_error when its identity is in use.
    /// @throws usage_error when the unit holds that identity already, or the object is a copy of a stored one
    Aggregate& add(Aggregate object) const {
        return static_cast<Aggregate&>(view_.add(std::make_unique<Aggregate>(std::move(object))));
    }
    void remove(const Aggregate& object) const {
        static_assert(!event_sourced_type<Aggregate>,
                      "an event-sourced aggregate is its history and cannot be removed: raise an event that ends it");
        view_.remove(object);
    }

    /// Aggregates whose state field equals the value (string, number or boolean), ordered by id; sees the unit's own
    /// changes. At most 1000.
    [[nodiscard]] std::vector<Aggregate*> find_by(std::string_view field, const json::value& equals) const {
        require_stored_state();
        return typed(view_.find_by(field, equals));
    }
    [[nodiscard]] std::vector<Aggregate*> all(std::size_t limit = 1000) const {
        require_stored_state();
        return typed(view_.all(limit));
    }

    /// An event-sourced aggregate as it was after the event at this position of its stream, counted from 0. A value on
    /// its own: it is not part of the unit, and nothing that the unit has not committed yet is in it.
    /// @throws not_found_error when it has no such version
    [[nodiscard]] Aggregate at_version(std::string_view id, std::int64_t version) const {
        require_history();
        return std::move(static_cast<Aggregate&>(*view_.at_version(id, version)));
    }
    /// The same as it was at a point in time: with all events up to the first one that was raised later. Reads the
    /// stream from its beginning.
    /// @throws not_found_error when it did not exist then
    [[nodiscard]] Aggregate at_time(std::string_view id, date_time time) const {
        require_history();
        return std::move(static_cast<Aggregate&>(*view_.at_time(id, time)));
    }

private:
    static constexpr void require_stored_state() {
        static_assert(!event_sourced_type<Aggregate>,
                      "no state of an event-sourced aggregate is stored that could be searched: keep a projection of "
                      "its events and search that");
    }
    static constexpr void require_history() {
        static_assert(event_sourced_type<Aggregate>,
                      "only an event-sourced aggregate has a history: derive it from sluice::event_sourced<Itself>");
    }
    static std::vector<Aggregate*> typed(const std::vector<aggregate_root*>& objects) {
        std::vector<Aggregate*> result;
        result.reserve(objects.size());
        for (aggregate_root* object : objects) result.push_back(static_cast<Aggregate*>(object));
        return result;
    }

    detail::unit_view view_;
};

template <class Aggregate>
sluice::repository<Aggregate> context::repository() {
    return sluice::repository<Aggregate>{open_unit()};
}

}  // namespace sluice
