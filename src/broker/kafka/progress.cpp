#include "broker/kafka/progress.hpp"

#include <algorithm>

namespace sluice::broker::kafka {

bool progress::arrived(std::int64_t offset) {
    next_ = std::max(next_, offset + 1);
    const bool is_new = !done_.contains(offset);
    if (is_new) open_.insert(offset);
    tidy();
    return is_new;
}

bool progress::settled(std::int64_t offset) {
    if (open_.erase(offset) == 0) return false;
    done_.insert(offset);
    tidy();
    return true;
}

void progress::tidy() { done_.erase(done_.begin(), done_.lower_bound(floor())); }

std::vector<std::int64_t> progress::done_behind() const { return {done_.begin(), done_.end()}; }

}  // namespace sluice::broker::kafka
