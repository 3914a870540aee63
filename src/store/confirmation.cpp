#include "store/confirmation.hpp"

#include <algorithm>
#include <utility>

namespace sluice::store {

std::vector<confirmation> confirmations_of(std::vector<confirmation> events, std::vector<settlement> settled) {
    std::ranges::stable_sort(settled, {}, &settlement::seq);
    auto at = settled.begin();
    std::erase_if(events, [&](confirmation& each) {
        at = std::lower_bound(at, settled.end(), each.seq,
                              [](const settlement& one, sequence seq) { return one.seq < seq; });
        if (at == settled.end() || at->seq != each.seq) return true;
        each.confirmed_at = at->published_at.value_or(date_time{});
        each.receipt = std::move(at->receipt);
        return false;
    });
    return events;
}

}  // namespace sluice::store
