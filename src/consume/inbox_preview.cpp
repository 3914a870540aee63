#include "consume/inbox_preview.hpp"

namespace sluice::consume {

void inbox_preview::learn(std::span<const std::string> asked, std::span<const std::string> marked, instant now) {
    std::erase_if(unmarked_, [&](const auto& known) { return now - known.second > lasts; });
    for (const std::string& id : asked) unmarked_.insert_or_assign(id, now);
    for (const std::string& id : marked) unmarked_.erase(id);
}

bool inbox_preview::take(const std::string& id, instant now) {
    const auto found = unmarked_.find(id);
    if (found == unmarked_.end()) return false;
    const bool is_fresh = now - found->second <= lasts;
    unmarked_.erase(found);
    return is_fresh;
}

}  // namespace sluice::consume
