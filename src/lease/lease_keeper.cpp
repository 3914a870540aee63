#include "lease/lease_keeper.hpp"

#include <algorithm>
#include <chrono>

namespace sluice::lease {

namespace {

constexpr duration longest_margin = std::chrono::seconds{1};
constexpr duration shortest_stand_by = std::chrono::milliseconds{50};
constexpr duration longest_stand_by = std::chrono::seconds{1};
constexpr int margins_kept_free = 3;  ///< one is the margin itself; two leave room to publish after a renewal

}  // namespace

lease_keeper::lease_keeper(duration ttl, duration publish_timeout)
    : ttl_{ttl},
      margin_{std::min(longest_margin, ttl / 10)},
      publish_timeout_{std::min(publish_timeout, ttl - margins_kept_free * margin_)} {}

duration lease_keeper::stand_by_interval() const noexcept {
    return std::clamp<duration>(ttl_ / 10, shortest_stand_by, longest_stand_by);
}

void lease_keeper::granted(instant asked) noexcept {
    renew_at_ = asked + renewal_interval();
    trusted_until_ = asked + ttl_ - margin_;
}

}  // namespace sluice::lease
