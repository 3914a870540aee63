#include "projection/settled_log.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace sluice::projection {

void settled_log::looked(const store::log_end& end) {
    head_ = end.head;
    std::set<std::string> still;
    std::ranges::set_intersection(awaited_, end.writers, std::inserter(still, still.end()));
    awaited_ = std::move(still);
    if (!awaited_.empty()) return;
    settled_ = std::max(settled_, candidate_);
    candidate_ = end.head;
    awaited_ = end.writers;
    if (awaited_.empty()) settled_ = std::max(settled_, candidate_);
}

void settled_log::begin_anew() noexcept {
    awaited_.clear();
    candidate_ = settled_;
}

}  // namespace sluice::projection
