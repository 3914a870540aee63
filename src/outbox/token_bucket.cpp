#include "outbox/token_bucket.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/backoff.hpp"

namespace sluice::outbox {

namespace {

constexpr double portions_a_second = 20;

}  // namespace

token_bucket::token_bucket(double per_second)
    : per_second_{per_second},
      most_{std::max(per_second, 1.0)},
      portion_{std::max(per_second / portions_a_second, 1.0)},
      left_{most_} {}

double token_bucket::tokens(instant now) const {
    if (!since_) return left_;
    const double passed = std::chrono::duration<double>(now - *since_).count();
    return std::min(most_, left_ + std::max(passed, 0.0) * per_second_);
}

std::size_t token_bucket::available(instant now) const {
    if (per_second_ <= 0) return std::numeric_limits<std::size_t>::max();
    // Whoever slept until `available_at` must not miss the portion by what a double cannot tell.
    constexpr double rounding = 1e-6;
    const double now_there = tokens(now) + rounding;
    return now_there < portion_ ? 0 : static_cast<std::size_t>(now_there);
}

instant token_bucket::available_at(instant now) const {
    if (available(now) > 0) return now;
    const double missing = (portion_ - tokens(now)) / per_second_;
    return now + std::max(base::from_seconds(missing), duration{1});
}

void token_bucket::take(std::size_t messages, instant now) {
    if (per_second_ <= 0) return;
    left_ = tokens(now) - static_cast<double>(messages);
    since_ = now;
}

}  // namespace sluice::outbox
