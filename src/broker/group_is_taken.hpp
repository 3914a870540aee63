#pragma once

#include <string>
#include <string_view>

#include <sluice/error.hpp>

namespace sluice::broker {

/// A group cannot be given the name of another.
[[nodiscard]] inline usage_error group_is_taken(std::string_view name, std::string_view stream) {
    return usage_error{"there is a group `" + std::string{name} + "` on stream " + std::string{stream} +
                       " already, with a place of its own; keep one of the two and retire the other"};
}

}  // namespace sluice::broker
