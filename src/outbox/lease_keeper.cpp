#include "outbox/lease_keeper.hpp"

#include <algorithm>
#include <chrono>

namespace sluice::outbox {

namespace {

constexpr duration longest_margin = std::chrono::seconds{1};
constexpr int margins_kept_free = 3;  ///< one is the margin itself; two leave room to publish after a renewal

}  // namespace

lease_keeper::lease_keeper(duration ttl, duration publish_timeout)
    : ttl_{ttl},
      margin_{std::min(longest_margin, ttl / 10)},
      publish_timeout_{std::min(publish_timeout, ttl - margins_kept_free * margin_)} {}

void lease_keeper::granted(date_time now, date_time expires_at) noexcept {
    renew_at_ = now + ttl_ / 3;
    trusted_until_ = expires_at - margin_;
}

}  // namespace sluice::outbox
