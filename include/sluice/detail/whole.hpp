#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <boost/describe/bases.hpp>
#include <boost/mp11/algorithm.hpp>

#include <sluice/aggregate.hpp>
#include <sluice/detail/field_types.hpp>
#include <sluice/process_manager.hpp>

/// Finds members that BOOST_DESCRIBE_CLASS does not list: the compiler does not miss them, and what is kept in them
/// would be lost whenever the object is stored and loaded.
namespace sluice::detail {

/// Where a part of an object lies in it.
struct member_place {
    std::string_view name;  ///< empty for what is no member: a base class, the pointer of a polymorphic class
    std::size_t offset = 0;
    std::size_t size = 0;
    std::size_t alignment = 1;
};

struct object_layout {
    std::string_view name;  ///< of the class
    std::size_t size = 0;
    std::size_t alignment = 1;
    std::vector<member_place> places;
};

/// One problem for each stretch of the object that no place explains, alignment considered.
/// @param what  of which the class is a part: ``aggregate `shop::Order` ``
[[nodiscard]] std::vector<std::string> problems_of(const std::string& what, object_layout layout);

template <class Part, class T>
void add_place(object_layout& layout, const T& object, const Part& part, std::string_view name) {
    const auto* const begin = reinterpret_cast<const unsigned char*>(&object);  // NOLINT: only its address is used
    const auto* const at = reinterpret_cast<const unsigned char*>(&part);       // NOLINT
    layout.places.push_back({name, static_cast<std::size_t>(at - begin), sizeof(Part), alignof(Part)});
}

/// A base class that keeps nothing but what makes it polymorphic.
template <class Base>
inline constexpr bool is_stateless = std::is_empty_v<Base> ||
                                     (std::is_polymorphic_v<Base> && sizeof(Base) == sizeof(void*));

template <class T>
[[nodiscard]] object_layout layout_in_memory() {
    object_layout layout{reflect::type_name<T>(), sizeof(T), alignof(T), {}};
    const T object{};
    if constexpr (std::is_base_of_v<aggregate_root, T>) {
        add_place<aggregate_root>(layout, object, object, {});
    } else if constexpr (std::is_base_of_v<process_root, T>) {
        add_place<process_root>(layout, object, object, {});
    } else if constexpr (std::is_polymorphic_v<T>) {
        layout.places.push_back({{}, 0, sizeof(void*), alignof(void*)});
    }
    boost::mp11::mp_for_each<boost::describe::describe_bases<T, boost::describe::mod_any_access>>(
        [&]<class Described>(Described) {
            using base = typename Described::type;
            // The cast of C also reaches private bases.
            if constexpr (is_stateless<base>) add_place<base>(layout, object, (const base&)object, {});  // NOLINT
        });
    boost::mp11::mp_for_each<reflect::detail::all_described<T>>(
        [&]<class Described>(Described) { add_place(layout, object, object.*Described::pointer, Described::name); });
    return layout;
}

/// Looks at every class that is part of a T.
/// @param seen  classes that were looked at
template <class T>
void look_for_forgotten_members(const std::string& what, std::vector<std::string_view>& seen,
                                std::vector<std::string>& problems) {
    if constexpr (codec::detail::is_optional<T> || codec::detail::is_vector<T>) {
        look_for_forgotten_members<typename T::value_type>(what, seen, problems);
    } else if constexpr (codec::detail::map_type<T>) {
        look_for_forgotten_members<typename T::mapped_type>(what, seen, problems);
    } else if constexpr (!codec::detail::scalar<T>) {
        constexpr std::string_view name = reflect::type_name<T>();
        if (std::find(seen.begin(), seen.end(), name) != seen.end()) return;
        seen.push_back(name);
        if constexpr (reflect::detail::described<T>) {
            for (std::string& problem : problems_of(what, layout_in_memory<T>())) {
                problems.push_back(std::move(problem));
            }
        }
        const T object{};
        reflect::for_each_field(
            object, [&]<class M>(std::string_view, const M&) { look_for_forgotten_members<M>(what, seen, problems); });
    }
}

/// @param kind  `aggregate`, `event`, …
template <class T>
void require_whole(std::string_view kind, std::vector<std::string>& problems) {
    std::vector<std::string_view> seen;
    const std::string what = std::string{kind} + " `" + std::string{reflect::type_name<T>()} + "`";
    look_for_forgotten_members<T>(what, seen, problems);
}

}  // namespace sluice::detail
