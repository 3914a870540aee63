#pragma once

#include <sluice/detail/bindings.hpp>
#include <sluice/not_stored.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>
#include <boost/mp11/algorithm.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

/// Reads the names of types, members and enumerators, so that an event is a plain struct without macro or base class.
///
/// - A plain struct (an aggregate without base class, at most 40 members, no C array among them) needs nothing. Every
///   member must be default constructible.
/// - A class with private state says `BOOST_DESCRIBE_CLASS(Order, (), (), (), (order_id_, status_))` once, inside
///   the class. The trailing underscore is not part of the name. Base classes are not visited, and neither are members
///   of type `not_stored`. The listed members win over what is found without them. Public ones come first, then
///   protected, then private ones.
/// - An enum with a fixed underlying type (every `enum class`) needs nothing as long as its enumerators lie between
///   -16 (unsigned: 0) and 127; any other enum says `BOOST_DESCRIBE_ENUM(status, draft, placed)`.
///
/// Everything happens at compile time; the views refer to static storage.
namespace sluice::reflect {
namespace detail {

// --- spelling: what the compiler calls a thing ---

template <class T>
consteval auto spell_type() {
    return std::string_view{__PRETTY_FUNCTION__};
}

template <auto value>
consteval auto spell_value() {
    return std::string_view{__PRETTY_FUNCTION__};
}

template <auto... values>
consteval auto spell_values() {
    return std::string_view{__PRETTY_FUNCTION__};
}

constexpr bool is_identifier_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}

/// The identifier at the end: `last_identifier("&shop::fake.id") == "id"`.
constexpr std::string_view last_identifier(std::string_view spelled) {
    std::size_t first = spelled.size();
    while (first > 0 && is_identifier_char(spelled[first - 1])) --first;
    return spelled.substr(first);
}

template <class T>
consteval std::string_view spelled_type() {
    constexpr std::string_view known = spell_type<void>();
    constexpr std::size_t before = known.find("void");
    constexpr std::size_t after = known.size() - before - 4;
    std::string_view spelled = spell_type<T>();
    spelled.remove_prefix(before);
    spelled.remove_suffix(after);
    for (const std::string_view keyword : {"struct ", "class ", "enum "}) {
        if (spelled.starts_with(keyword)) spelled.remove_prefix(keyword.size());
    }
    return spelled;
}

/// What follows the last `::` outside of template arguments.
constexpr std::string_view without_scope(std::string_view name) {
    std::size_t depth = 0;
    for (std::size_t i = name.size(); i > 0; --i) {
        const char c = name[i - 1];
        if (c == '>' || c == ')') ++depth;
        if (c == '<' || c == '(') --depth;
        if (c == ':' && depth == 0) return name.substr(i);
    }
    return name;
}

// --- members of plain structs ---

/// Converts to whatever a member is. Only ever named in unevaluated code.
struct any_value {
    template <class T>
    operator T() const;  // NOLINT(google-explicit-constructor)
};

/// Converts only to base classes of T.
template <class T>
struct any_base_of {
    template <class B>
        requires(std::is_base_of_v<B, T> && !std::is_same_v<B, T>)
    operator B() const;  // NOLINT(google-explicit-constructor)
};

template <class T>
concept tuple_like = requires {
    std::tuple_size<T>::value;
};

template <class T>
concept has_base = requires {
    T{any_base_of<T>{}};
};

/// Counts the members by initialising one more until the compiler refuses.
template <class T, class... found>
consteval std::size_t count_members() {
    if constexpr (sizeof...(found) <= most_members && requires { T{found{}..., any_value{}}; }) {
        return count_members<T, found..., any_value>();
    } else {
        return sizeof...(found);
    }
}

template <class T>
consteval bool is_plain_struct() {
    if constexpr (std::is_class_v<T> && std::is_aggregate_v<T> && !tuple_like<T> && !has_base<T>) {
        return count_members<T>() <= most_members;
    }
    return false;
}

template <class T>
concept plain_struct = is_plain_struct<T>();

template <class T>
struct never_made {
    T value;
};

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-internal"
#pragma clang diagnostic ignored "-Wundefined-var-template"
#endif

/// An object of which only the addresses of its members are used, and those only by the compiler.
template <class T>
extern const never_made<T> nowhere;

/// A member's address as a template argument. (clang before 18 takes a bare pointer to a subobject only this way.)
template <class P>
struct address {
    P pointer;
};
template <class P>
address(P) -> address<P>;

/// A tuple that costs the compiler little.
template <std::size_t index, class P>
struct address_at {
    P pointer;
};
template <class indices, class... P>
struct address_list;
template <std::size_t... index, class... P>
struct address_list<std::index_sequence<index...>, P...> : address_at<index, P>... {};

template <std::size_t index, class P>
consteval P pointer_at(const address_at<index, P>& entry) {
    return entry.pointer;
}

template <class T, std::size_t count>
consteval auto addresses_of_members() {
    return visit_bindings<count>(nowhere<T>.value, [](const auto&... member) {
        return address_list<std::make_index_sequence<count>, decltype(&member)...>{{&member}...};
    });
}

constexpr std::string_view member_in(std::string_view spelled_address) {
    while (!is_identifier_char(spelled_address.back())) spelled_address.remove_suffix(1);
    return last_identifier(spelled_address);
}

template <class T, std::size_t... index>
consteval std::array<std::string_view, sizeof...(index)> names_of_plain(std::index_sequence<index...> indices) {
    if constexpr (sizeof...(index) == 0) {
        return {};
    } else {
        constexpr auto addresses = addresses_of_members<T, indices.size()>();
        return {member_in(spell_value<address{pointer_at<index>(addresses)}>())...};
    }
}

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

// --- members of described classes ---

template <class T>
concept described = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;

constexpr std::string_view without_underscore(std::string_view name) {
    return name.ends_with('_') ? name.substr(0, name.size() - 1) : name;
}

template <class descriptors>
struct described_members;

template <template <class...> class list, class... descriptor>
struct described_members<list<descriptor...>> {
    static constexpr std::size_t count = sizeof...(descriptor);

    static consteval std::array<std::string_view, count> names() { return {without_underscore(descriptor::name)...}; }

    template <class object_type, class visitor>
    static constexpr decltype(auto) visit([[maybe_unused]] object_type& object, visitor&& visit) {
        return visit(object.*descriptor::pointer...);
    }
};

template <class T>
using all_described = boost::describe::describe_members<T, boost::describe::mod_any_access>;

template <class pointer>
inline constexpr bool points_to_not_stored = false;
template <class owner, class member>
inline constexpr bool points_to_not_stored<member owner::*> = sluice::detail::is_not_stored<member>;

template <class descriptor>
using is_left_out = std::bool_constant<points_to_not_stored<std::remove_cv_t<decltype(descriptor::pointer)>>>;

/// Those that are stored.
template <class T>
using described_members_of = described_members<boost::mp11::mp_remove_if<all_described<T>, is_left_out>>;

// --- enumerators ---

template <class E, std::size_t count>
struct enumerator_table {
    std::array<E, count> values{};
    std::array<std::string_view, count> names{};
};

template <class E>
concept has_fixed_type = requires {
    E{0};
};

/// Calls `take(position, name)` for each value that is an enumerator. `spelled` holds a list of all candidates, such
/// as `{shop::draft, (shop::status)1}`, within the name of the function that was asked.
template <class taker>
constexpr void for_each_spelled(std::string_view spelled, taker&& take) {
    spelled.remove_prefix(spelled.find("values = ") + 10);
    spelled.remove_suffix(2);
    std::size_t position = 0;
    std::size_t first = 0;
    int depth = 0;
    for (std::size_t i = 0; i <= spelled.size(); ++i) {
        const char c = i < spelled.size() ? spelled[i] : ',';
        if (c == '(' || c == '<' || c == '{') ++depth;
        if (c == ')' || c == '>' || c == '}') --depth;
        if (c != ',' || depth != 0) continue;
        const std::string_view name = last_identifier(spelled.substr(first, i - first));
        if (!name.empty() && (name[0] < '0' || name[0] > '9')) take(position, name);
        ++position;
        first = i + 1;
    }
}

template <class E, int lowest, int... offset>
consteval std::string_view spell_range(std::integer_sequence<int, offset...>) {
    return spell_values<static_cast<E>(lowest + offset)...>();
}

constexpr std::size_t count_spelled(std::string_view spelled) {
    std::size_t count = 0;
    for_each_spelled(spelled, [&](std::size_t, std::string_view) { ++count; });
    return count;
}

/// Lets the compiler spell every value that might be an enumerator, all in one instantiation.
template <class E>
consteval auto find_enumerators() {
    static_assert(has_fixed_type<E>,
                  "this enum has no fixed underlying type: write `enum class`, or list its enumerators with "
                  "BOOST_DESCRIBE_ENUM");
    using underlying = std::underlying_type_t<E>;
    constexpr int lowest = std::is_signed_v<underlying> ? -16 : 0;
    constexpr int highest = std::is_same_v<underlying, bool> ? 1 : 127;
    constexpr std::string_view spelled =
        spell_range<E, lowest>(std::make_integer_sequence<int, highest - lowest + 1>{});

    enumerator_table<E, count_spelled(spelled)> table;
    std::size_t n = 0;
    for_each_spelled(spelled, [&](std::size_t position, std::string_view name) {
        table.values[n] = static_cast<E>(lowest + static_cast<int>(position));
        table.names[n++] = name;
    });
    return table;
}

template <class E, template <class...> class list, class... descriptor>
consteval enumerator_table<E, sizeof...(descriptor)> described_enumerators(list<descriptor...>) {
    return {{descriptor::value...}, {descriptor::name...}};
}

template <class E>
consteval auto enumerators_of() {
    if constexpr (boost::describe::has_describe_enumerators<E>::value) {
        return described_enumerators<E>(boost::describe::describe_enumerators<E>{});
    } else {
        return find_enumerators<E>();
    }
}

template <class E>
inline constexpr auto enumerators = enumerators_of<E>();

}  // namespace detail

/// A list of types, for the compiler only. Thread safety: a constant.
template <class... T>
struct type_list {};

/// A type whose members can be read: a plain struct, or a class with a BOOST_DESCRIBE line. Needs the complete type.
template <class T>
concept reflectable = detail::described<T> || detail::plain_struct<T>;

/// The number of members (static ones do not count).
template <reflectable T>
[[nodiscard]] consteval std::size_t field_count() {
    if constexpr (detail::described<T>) {
        return detail::described_members_of<T>::count;
    } else {
        return detail::count_members<T>();
    }
}

namespace detail {

template <class T>
consteval auto find_field_names() {
    if constexpr (described<T>) {
        return described_members_of<T>::names();
    } else {
        return names_of_plain<T>(std::make_index_sequence<field_count<T>()>{});
    }
}

template <class T>
inline constexpr auto names = find_field_names<T>();

/// Calls `visit(member...)` once, with all members.
template <class T, class visitor>
constexpr decltype(auto) visit_members(T& object, visitor&& visit) {
    using object_type = std::remove_const_t<T>;
    if constexpr (described<object_type>) {
        return described_members_of<object_type>::visit(object, visit);
    } else {
        return visit_bindings<field_count<object_type>()>(object, visit);
    }
}

struct lists_types {
    template <class... member>
    constexpr auto operator()(const member&... /*members*/) const {
        return type_list<member...>{};
    }
};

}  // namespace detail

/// The types of the members in declaration order, as a `type_list`.
template <reflectable T>
using field_types = decltype(detail::visit_members(std::declval<const T&>(), detail::lists_types{}));

/// The names of the members in declaration order, as a `std::array` of views.
template <reflectable T>
[[nodiscard]] constexpr const auto& field_names() {
    return detail::names<T>;
}

/// Calls `f(std::string_view name, auto& member)` for each member, in declaration order.
template <class T, class visitor>
    requires reflectable<std::remove_const_t<T>>
constexpr void for_each_field(T& object, visitor&& f) {
    using object_type = std::remove_const_t<T>;
    detail::visit_members(object, [&f](auto&... member) {
        [[maybe_unused]] std::size_t i = 0;
        (f(detail::names<object_type>[i++], member), ...);
    });
}

/// The qualified name, for example `shop::OrderShipped`.
template <class T>
[[nodiscard]] consteval std::string_view type_name() {
    return detail::spelled_type<T>();
}

/// The name without its scope, for example `OrderShipped`.
template <class T>
[[nodiscard]] consteval std::string_view short_type_name() {
    return detail::without_scope(detail::spelled_type<T>());
}

/// The names of the enumerators, as a `std::array` of views: in order of their values, or as described.
template <class E>
    requires std::is_enum_v<E>
[[nodiscard]] constexpr const auto& enum_names() { return detail::enumerators<E>.names; }

/// The name of an enumerator; empty when the value has none.
template <class E>
    requires std::is_enum_v<E>
[[nodiscard]] constexpr std::string_view enum_name(E value) noexcept {
    const auto& [values, names] = detail::enumerators<E>;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i] == value) return names[i];
    }
    return {};
}

/// The enumerator of that name, or nothing.
template <class E>
    requires std::is_enum_v<E>
[[nodiscard]] constexpr std::optional<E> enum_from_name(std::string_view name) noexcept {
    const auto& [values, names] = detail::enumerators<E>;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (names[i] == name) return values[i];
    }
    return std::nullopt;
}

}  // namespace sluice::reflect
