#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace sluice::store {

/// A piece of the names in byte order, both ends excluded.
struct name_range {
    std::string after;
    std::string before;
};

/// Where the streams of one category are, `shop::order-…`, those after the name given. A category whose name begins
/// with this one and a hyphen has its streams there, too.
[[nodiscard]] inline name_range names_of_category(std::string_view category, std::string_view after) {
    // A stop is the character after the hyphen.
    return {.after = std::string{std::max(category, after)}, .before = std::string{category} + '.'};
}

}  // namespace sluice::store
