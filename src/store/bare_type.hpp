#pragma once

#include <algorithm>
#include <string_view>

namespace sluice::store {

/// `OrderShipped`: the name of a message without its domain and version, which a filter takes for all of them. Anything
/// else
/// (`Shop.OrderShipped.v1`) means itself.
[[nodiscard]] inline bool is_bare_type(std::string_view type) noexcept {
    return !type.empty() && std::ranges::all_of(type, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
}

}  // namespace sluice::store
