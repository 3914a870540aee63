#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include <sluice/fields.hpp>
#include <sluice/reflect.hpp>

namespace sluice::detail {

/// The value of the first member of type `identifier`; empty when there is none.
template <class T>
[[nodiscard]] std::string identity_of(const T& object) {
    std::string found;
    bool done = false;
    reflect::for_each_field(object, [&](std::string_view, const auto& member) {
        if constexpr (std::same_as<std::remove_cvref_t<decltype(member)>, identifier>) {
            if (!done) found = member.str();
            done = true;
        }
    });
    return found;
}

}  // namespace sluice::detail
