#include "config/lane_choice.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace sluice::config {

namespace {

template <class Means>
bool is_meant(const std::optional<std::vector<std::string>>& patterns, Means means) {
    return !patterns || std::ranges::any_of(*patterns, means);
}

}  // namespace

bool fits(std::string_view pattern, std::string_view text) noexcept {
    // Where the last star was, and what it stands for so far: a mismatch behind it lets it stand for one more.
    std::size_t star = std::string_view::npos;
    std::size_t behind_star = 0;
    std::size_t p = 0;
    std::size_t t = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            behind_star = t;
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++behind_star;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool means_event(std::string_view pattern, const detail::event_entry& event) {
    const std::string_view type{event.type};
    return fits(pattern, event.name) || fits(pattern, type.substr(0, type.rfind(".v")));
}

bool means_aggregate(std::string_view pattern, const detail::aggregate_entry& aggregate) noexcept {
    return fits(pattern, aggregate.name) || fits(pattern, aggregate.category);
}

bool wants(const lane_options& lane, const detail::event_entry& event, const detail::aggregate_entry& aggregate) {
    return is_meant(lane.events, [&](const std::string& each) { return means_event(each, event); }) &&
           is_meant(lane.aggregates, [&](const std::string& each) { return means_aggregate(each, aggregate); });
}

}  // namespace sluice::config
