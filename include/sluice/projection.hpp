#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <sluice/codec.hpp>
#include <sluice/detail/rows.hpp>
#include <sluice/error.hpp>
#include <sluice/fields.hpp>
#include <sluice/identity.hpp>

/// Read models: tables that projectors write from events, that queries read, and that can be rebuilt from the log.
namespace sluice {

/// The contract of a read model.
///
/// @code
/// struct OrderSummary {
///     static constexpr sluice::projection_of contract{.name = "order_summary"};
///     sluice::identifier order_id;  // the first identifier is the key
///     std::string customer;
///     std::int64_t lines = 0;
///     std::optional<sluice::date_time> shipped_at{};
/// };
/// @endcode
///
/// Texts, enums and `uuid` become text columns, whole numbers (up to 63 bits), `double`, `bool`, `date_time`, `date`,
/// `decimal` and durations columns of their kind, everything else JSON. `std::optional` columns may be NULL.
///
/// Thread safety: a constant.
struct projection_of {
    /// Of the table, for people's SQL: lower-case letters, digits and single underscores, at most 40 characters. The
    /// struct's own name in that spelling when empty.
    std::string_view name = {};
    /// Raise it when the projector writes other values into the same columns: the table then wants a rebuild, as it
    /// does when the columns change.
    int version = 1;
};

/// A plain struct with `static constexpr sluice::projection_of contract`.
template <class T>
concept projection_type = requires {
    T::contract;
}
&&std::same_as<std::remove_cvref_t<decltype(T::contract)>, projection_of>;

namespace detail {

template <class... Member>
consteval bool has_identifier(reflect::type_list<Member...> /*members*/) {
    return (std::same_as<Member, identifier> || ...);
}

template <class Row>
inline constexpr bool has_key = has_identifier(reflect::field_types<Row>{});

template <class Member>
consteval void require_column() {
    static_assert(value_type_of<Member>.kind != value_kind::unsigned_integer || value_type_of<Member>.bits < 64,
                  "a column holds no number above 2^63 - 1: make this member of the read model a std::int64_t");
}

template <class... Member>
consteval void require_columns(reflect::type_list<Member...> /*members*/) {
    (require_column<Member>(), ...);
}

template <class Row>
consteval void require_row() {
    static_assert(projection_type<Row>,
                  "a read model is a plain struct with `static constexpr sluice::projection_of contract{…}`");
    static_assert(
        reflect::reflectable<Row>,
        "Sluice cannot read the members of this read model: make it a plain struct (no base class, no private "
        "member, at most 40 members), or list the members with BOOST_DESCRIBE_STRUCT");
    static_assert(has_key<Row>, "a read model needs a member of type sluice::identifier: the first is its key");
    require_columns(reflect::field_types<Row>{});
}

template <class Row>
[[nodiscard]] Row decode_row(const std::string& text) {
    return codec::decode<Row>(json::parse(text), codec::unknown_keys::ignore, codec::missing_keys::keep_default);
}

template <class Row>
[[noreturn]] void throw_no_row(std::string_view key) {
    throw not_found_error{"there is no " + std::string{reflect::type_name<Row>()} + " with key `" + std::string{key} +
                          "`"};
}

/// The name of the member that is pointed to.
template <class Row, class Member>
[[nodiscard]] std::string name_of_member(Member Row::*which) {
    const Row row{};
    std::string found;
    reflect::for_each_field(row, [&]<class M>(std::string_view name, const M& member) {
        if constexpr (std::same_as<M, Member>) {
            if (&member == &(row.*which)) found = name;
        }
    });
    return found;
}

template <class Row>
void set_key(Row& row, std::string_view key) {
    bool done = false;
    reflect::for_each_field(row, [&]<class M>(std::string_view, M& member) {
        if constexpr (std::same_as<M, identifier>) {
            if (!done) member = key;
            done = true;
        }
    });
}

}  // namespace detail

/// The rows of one read model, as the projector that feeds it sees them: its own changes included. What it changes
/// commits together with the mark that the event was handled.
///
/// A projector gets nothing else, so handling an event again for a rebuild has no side effect.
///
/// Thread safety: none. Lifetime: during the call only.
template <projection_type Row>
class read_model {
public:
    explicit read_model(detail::row_set& rows) : rows_{rows} {}

    [[nodiscard]] std::optional<Row> find(std::string_view key) const {
        const auto found = rows_.find(key);
        return found ? std::optional<Row>{detail::decode_row<Row>(*found)} : std::nullopt;
    }
    /// @throws not_found_error naming read model and key
    [[nodiscard]] Row get(std::string_view key) const {
        const auto found = rows_.find(key);
        if (!found) detail::throw_no_row<Row>(key);
        return detail::decode_row<Row>(*found);
    }
    /// Inserts the row, or replaces the one with its key.
    /// @throws validation_error naming every member that breaks its rule
    void put(const Row& row) const {
        codec::require_valid(row);
        rows_.put(detail::identity_of(row), codec::encode(row));
    }
    /// Nothing happens when there is none.
    void remove(std::string_view key) const { rows_.remove(key); }

    /// @param change  `void(Row&)`
    /// @throws not_found_error; usage_error when the change touches the key
    template <std::invocable<Row&> Change>
    void update(std::string_view key, Change change) const {
        apply(get(key), key, change);
    }
    /// The same, but begins with a new row when there is none.
    template <std::invocable<Row&> Change>
    void upsert(std::string_view key, Change change) const {
        auto row = find(key);
        if (!row) detail::set_key(row.emplace(), key);
        apply(*std::move(row), key, change);
    }

private:
    template <class Change>
    void apply(Row row, std::string_view key, Change& change) const {
        std::invoke(change, row);
        if (detail::identity_of(row) != key) {
            throw usage_error{"the key of " + std::string{reflect::type_name<Row>()} + " `" + std::string{key} +
                              "` was changed by an update; remove the row and put another one instead"};
        }
        put(row);
    }

    detail::row_set& rows_;
};

/// What a column is compared with: see `equals`, `less` and so on.
///
/// Thread safety: a value type.
struct comparison {
    detail::comparison_kind how = detail::comparison_kind::equal;
    json::value value{};
};

namespace detail {

template <class V>
[[nodiscard]] comparison compare(comparison_kind how, const V& value) {
    if constexpr (std::convertible_to<const V&, std::string_view>) {
        return {how, json::value{std::string_view{value}}};
    } else if constexpr (codec::detail::is_optional<V>) {
        if (!value) return {how == comparison_kind::equal ? comparison_kind::missing : comparison_kind::present, {}};
        return compare(how, *value);
    } else {
        std::string text;
        codec::detail::write(text, value);
        return {how, json::parse(text)};
    }
}

}  // namespace detail

/// Conditions for `view::where`. A missing value equals nothing, differs from everything and is neither less nor
/// greater.
template <class V>
[[nodiscard]] comparison equals(const V& value) {
    return detail::compare(detail::comparison_kind::equal, value);
}
template <class V>
[[nodiscard]] comparison not_equals(const V& value) {
    return detail::compare(detail::comparison_kind::not_equal, value);
}
template <class V>
[[nodiscard]] comparison less(const V& value) {
    return detail::compare(detail::comparison_kind::less, value);
}
template <class V>
[[nodiscard]] comparison less_or_equal(const V& value) {
    return detail::compare(detail::comparison_kind::less_or_equal, value);
}
template <class V>
[[nodiscard]] comparison greater(const V& value) {
    return detail::compare(detail::comparison_kind::greater, value);
}
template <class V>
[[nodiscard]] comparison greater_or_equal(const V& value) {
    return detail::compare(detail::comparison_kind::greater_or_equal, value);
}
[[nodiscard]] inline comparison missing() { return {detail::comparison_kind::missing, {}}; }
[[nodiscard]] inline comparison present() { return {detail::comparison_kind::present, {}}; }

enum class direction { ascending, descending };

/// Rows to choose, step by step; nothing is read before `rows`, `first` or `count`.
///
/// Columns are named by pointer to member, which the compiler checks, or by text, which is checked when it is read.
///
/// Thread safety: none, like its context. Lifetime: within that of the application that the context is from.
template <projection_type Row>
class selection {
public:
    explicit selection(std::shared_ptr<detail::row_source> from) : from_{std::move(from)} {}

    selection& where(std::string column, comparison condition) {
        query_.where.push_back({std::move(column), condition.how, std::move(condition.value)});
        return *this;
    }
    template <class Member>
    selection& where(Member Row::*column, comparison condition) {
        return where(detail::name_of_member(column), std::move(condition));
    }
    /// A second call decides among rows that are equal by the first; rows equal by all are in the order of their keys.
    selection& order_by(std::string column, direction towards = direction::ascending) {
        query_.order.push_back({std::move(column), towards == direction::descending});
        return *this;
    }
    template <class Member>
    selection& order_by(Member Row::*column, direction towards = direction::ascending) {
        return order_by(detail::name_of_member(column), towards);
    }
    /// 1000 unless said otherwise.
    selection& limit(std::size_t most) {
        query_.limit = most;
        return *this;
    }
    selection& offset(std::size_t skipped) {
        query_.offset = skipped;
        return *this;
    }

    /// @throws usage_error for a column that does not exist or cannot be compared with the value; store_error
    [[nodiscard]] std::vector<Row> rows() const {
        std::vector<Row> found;
        for (const std::string& text : from_->select(query_)) found.push_back(detail::decode_row<Row>(text));
        return found;
    }
    [[nodiscard]] std::optional<Row> first() const {
        detail::row_query one = query_;
        one.limit = 1;
        const auto found = from_->select(one);
        return found.empty() ? std::nullopt : std::optional<Row>{detail::decode_row<Row>(found.front())};
    }
    /// All rows that meet the conditions, whatever limit and offset say.
    [[nodiscard]] std::int64_t count() const { return from_->count(query_); }

private:
    std::shared_ptr<detail::row_source> from_;
    detail::row_query query_;
};

/// The committed rows of one read model, to read. They follow the events by the time that the lane and the projector
/// need; each call sees what is there at that moment.
///
/// @code
/// const auto open = context.view<OrderSummary>()
///                       .where(&OrderSummary::customer, sluice::equals("Ada"))
///                       .where(&OrderSummary::shipped_at, sluice::missing())
///                       .order_by(&OrderSummary::lines, sluice::direction::descending)
///                       .limit(20)
///                       .rows();
/// @endcode
///
/// Thread safety: none, like its context. Lifetime: within that of the application that the context is from. Every call
/// may throw store_error.
template <projection_type Row>
class view {
public:
    explicit view(std::shared_ptr<detail::row_source> from) : from_{std::move(from)} {}

    [[nodiscard]] std::optional<Row> find(std::string_view key) const {
        const auto found = from_->find(key);
        return found ? std::optional<Row>{detail::decode_row<Row>(*found)} : std::nullopt;
    }
    /// @throws not_found_error naming read model and key
    [[nodiscard]] Row get(std::string_view key) const {
        auto found = find(key);
        if (!found) detail::throw_no_row<Row>(key);
        return *std::move(found);
    }

    [[nodiscard]] selection<Row> all() const { return selection<Row>{from_}; }
    template <class Column>
    [[nodiscard]] selection<Row> where(Column column, comparison condition) const {
        return std::move(all().where(column, std::move(condition)));
    }
    template <class Column>
    [[nodiscard]] selection<Row> order_by(Column column, direction towards = direction::ascending) const {
        return std::move(all().order_by(column, towards));
    }
    [[nodiscard]] std::int64_t count() const { return all().count(); }

private:
    std::shared_ptr<detail::row_source> from_;
};

}  // namespace sluice
