#include "broker/rabbitmq/open_deliveries.hpp"

#include <set>

namespace sluice::broker::rabbitmq {

std::vector<open_deliveries::acknowledgement> open_deliveries::settle(std::size_t place,
                                                                      std::span<const std::uint64_t> tags) {
    std::set<std::uint64_t> settled;
    for (const auto tag : tags) {
        const auto found = open_.find(tag);
        if (found == open_.end() || found->second != place) continue;
        open_.erase(found);
        settled.insert(tag);
    }
    // Everything below the first one that is still open is settled.
    const auto above = open_.empty() ? settled.end() : settled.lower_bound(open_.begin()->first);
    std::vector<acknowledgement> result;
    if (above != settled.begin()) result.push_back({.tag = *std::prev(above), .multiple = true});
    for (auto each = above; each != settled.end(); ++each) result.push_back({.tag = *each});
    return result;
}

}  // namespace sluice::broker::rabbitmq
