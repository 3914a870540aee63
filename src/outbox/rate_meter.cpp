#include "outbox/rate_meter.hpp"

namespace sluice::outbox {

namespace {

std::int64_t second_of(instant now) { return now.time_since_epoch() / std::chrono::seconds{1}; }

}  // namespace

void rate_meter::add(std::int64_t events, instant now) {
    const auto second = second_of(now);
    auto& current = buckets_.at(static_cast<std::size_t>(second) % window_seconds);
    if (current.second != second) current = {second, 0};
    current.events += events;
}

double rate_meter::per_second(instant now) const {
    const auto last = second_of(now);
    const auto first = last - static_cast<std::int64_t>(window_seconds) + 1;
    std::int64_t sum = 0;
    for (const auto& [second, events] : buckets_) {
        if (second >= first && second <= last) sum += events;
    }
    return static_cast<double>(sum) / static_cast<double>(window_seconds);
}

}  // namespace sluice::outbox
