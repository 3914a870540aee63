#include "broker/operations.hpp"

#include <algorithm>
#include <numeric>

namespace sluice::broker {

void letters_outcome::leave(std::string_view stream, std::string_view group, std::string_view reason) {
    const auto same = std::ranges::find_if(left, [&](const left_behind& each) {
        return each.stream == stream && each.group == group && each.reason == reason;
    });
    if (same != left.end()) {
        ++same->count;
        return;
    }
    left.push_back(
        {.stream = std::string{stream}, .group = std::string{group}, .reason = std::string{reason}, .count = 1});
}

std::size_t letters_outcome::left_count() const {
    return std::accumulate(left.begin(), left.end(), std::size_t{0},
                           [](std::size_t sum, const left_behind& each) { return sum + each.count; });
}

}  // namespace sluice::broker
