#include "telemetry/span_queue.hpp"

#include <algorithm>
#include <utility>

namespace sluice::telemetry {

std::size_t size_of(const finished_span& span) {
    constexpr std::size_t ids = 64;
    std::size_t bytes = sizeof(finished_span) + span.name.size() + span.error.size() + ids;
    for (const span_attribute& each : span.attributes) {
        const auto* const text = std::get_if<std::string>(&each.value);
        bytes += sizeof(span_attribute) + each.key.size() + (text == nullptr ? 0 : text->size());
    }
    return bytes + span.links.size() * (sizeof(trace_parent) + ids);
}

span_queue::span_queue(const queue_limits& limits, std::shared_ptr<observe::span_counts> counts)
    : limits_{limits}, counts_{std::move(counts)} {}

void span_queue::push(const finished_span& span, instant now) {
    const std::size_t bytes = size_of(span);
    bool is_news = false;
    {
        const std::lock_guard lock{mutex_};
        if (waiting_.size() >= limits_.spans || bytes_ + bytes > limits_.bytes) {
            ++counts_->queue_full;
            return;
        }
        waiting_.push_back({span, now, bytes});
        bytes_ += bytes;
        is_news = waiting_.size() == 1 || waiting_.size() == limits_.batch;
    }
    if (is_news) signal_.notify();
}

std::vector<finished_span> span_queue::take(std::size_t most) {
    std::vector<finished_span> taken;
    const std::lock_guard lock{mutex_};
    taken.reserve(std::min(most, waiting_.size()));
    while (taken.size() < most && !waiting_.empty()) {
        bytes_ -= waiting_.front().bytes;
        taken.push_back(std::move(waiting_.front().span));
        waiting_.pop_front();
    }
    return taken;
}

std::size_t span_queue::size() const {
    const std::lock_guard lock{mutex_};
    return waiting_.size();
}

std::optional<instant> span_queue::waits_since() const {
    const std::lock_guard lock{mutex_};
    return waiting_.empty() ? std::nullopt : std::optional{waiting_.front().since};
}

}  // namespace sluice::telemetry
