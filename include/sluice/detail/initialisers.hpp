#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>

#include <sluice/detail/field_types.hpp>

/// Which members of a struct have an initialiser, so that a key that is missing in what was written before they were
/// there is no mistake.
namespace sluice::codec::detail {

/// Members of such a type are what they were made of memory, unless they have an initialiser.
template <class M>
inline constexpr bool is_bare = std::is_arithmetic_v<M> || std::is_enum_v<M> || is_duration<M>;

template <class T>
struct raw_object {
    alignas(T) std::array<unsigned char, sizeof(T)> bytes{};
};

/// The compiler must take the memory for read and written here, so that it neither drops what was written before nor
/// assumes what is there after.
inline void forget_what_is_known(void* memory) { asm volatile("" : : "r"(memory) : "memory"); }

/// Makes a T, as `T object;` does, in memory that is full of `fill`, and lets `look` see it.
template <class T, class Look>
void make_in_memory_of(unsigned char fill, Look&& look) {
    raw_object<T> memory;
    memory.bytes.fill(fill);
    forget_what_is_known(memory.bytes.data());
    T* const object = ::new (static_cast<void*>(memory.bytes.data())) T;
    forget_what_is_known(memory.bytes.data());
    look(*object);
    std::destroy_at(object);
}

/// Is there something to keep when the key of this member is missing? A list without elements says that there is
/// nothing, and so does its absence; another member has an initialiser when that makes a difference.
/// @param fill  what the memory was full of before the object was made there
template <class M>
[[nodiscard]] bool starts_with_a_value(const M& member, unsigned char fill) {
    if constexpr (is_optional<M> || is_vector<M> || map_type<M> || std::same_as<M, json::object>) {
        return true;
    } else if constexpr (is_bare<M>) {
        std::array<unsigned char, sizeof(M)> unset{};
        unset.fill(fill);
        return std::memcmp(&member, unset.data(), sizeof(M)) != 0;
    } else if constexpr (text_type<M>) {
        return !view_of(member).empty();
    } else if constexpr (std::same_as<M, date_time> || std::same_as<M, date> || is_decimal<M> ||
                         std::same_as<M, uuid>) {
        return member != M{};
    } else if constexpr (std::same_as<M, json::value>) {
        return !member.is_null();
    } else {
        bool all = true;
        reflect::for_each_field(member, [&]<class Part>(std::string_view, const Part& part) {
            all = all && starts_with_a_value(part, fill);
        });
        return all;
    }
}

/// `starts_with_a_value` for each member, in the order of `for_each_field`.
template <class T>
[[nodiscard]] const auto& initialised_members() {
    static const auto found = [] {
        std::array<bool, reflect::field_count<T>()> members{};
        // Twice, for a member may be initialised with what the memory is full of.
        constexpr std::array<unsigned char, 2> fills{0xA5, 0x5A};
        for (const unsigned char fill : fills) {
            make_in_memory_of<T>(fill, [&](const T& object) {
                [[maybe_unused]] std::size_t i = 0;
                reflect::for_each_field(object, [&]<class M>(std::string_view, const M& member) {
                    members[i] = starts_with_a_value(member, fill) || members[i];
                    ++i;
                });
            });
        }
        return members;
    }();
    return found;
}

}  // namespace sluice::codec::detail
