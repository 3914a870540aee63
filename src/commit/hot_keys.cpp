#include "commit/hot_keys.hpp"

namespace sluice::commit {

void hot_keys::lost(const std::string& key, time_point now) {
    if (key.empty()) return;
    const std::lock_guard lock{mutex_};
    forget_cold(now);
    if (until_.size() < most || until_.contains(key)) until_.insert_or_assign(key, now + life);
    count_ = until_.size();
}

bool hot_keys::is_hot(std::string_view key, time_point now) const {
    const std::lock_guard lock{mutex_};
    const auto found = until_.find(key);
    return found != until_.end() && now < found->second;
}

void hot_keys::forget_cold(time_point now) {
    std::erase_if(until_, [&](const auto& each) { return each.second <= now; });
}

}  // namespace sluice::commit
