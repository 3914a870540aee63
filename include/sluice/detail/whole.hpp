#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <type_traits>
#include <vector>

#include <boost/describe/bases.hpp>
#include <boost/mp11/algorithm.hpp>

#include <sluice/reflect.hpp>

/// Where the members lie that BOOST_DESCRIBE_CLASS lists. The compiler does not miss those that it does not list, and
/// what is kept in them would be lost whenever the object is stored and loaded.
namespace sluice {

class aggregate_root;
class process_root;

namespace detail {

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

    /// @param object,part  the first byte of each
    void add(std::string_view part_name, const void* object, const void* part, std::size_t part_size,
             std::size_t part_alignment);
};

template <class Part, class T>
void add_place(object_layout& layout, const T& object, const Part& part, std::string_view name) {
    layout.add(name, std::addressof(object), std::addressof(part), sizeof(Part), alignof(Part));
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

}  // namespace detail
}  // namespace sluice
