#include "outbox/stream_holds.hpp"

#include <algorithm>

namespace sluice::outbox {

void stream_holds::set(const std::string& stream, store::sequence from, instant due) {
    const auto [at, is_new] = holds_.try_emplace(stream);
    if (!is_new) forget_indexes(at);
    at->second.from = from;
    at->second.due = due;
    at->second.travelling = false;
    by_due_.emplace(due, stream);
    froms_.insert(from);
}

void stream_holds::wait(const std::string& stream, store::sequence row, instant due) {
    set(stream, row, due);
    holds_.find(stream)->second.waited_for = row;
}

void stream_holds::begin_earlier(const std::string& stream, store::sequence from, instant due) {
    set(stream, from, due);
    holds_.find(stream)->second.waited_for = 0;
}

void stream_holds::travel(std::string_view stream) {
    const auto at = holds_.find(stream);
    if (at == holds_.end()) return;
    by_due_.erase({at->second.due, at->first});
    at->second.travelling = true;
}

void stream_holds::release(std::string_view stream) {
    const auto at = holds_.find(stream);
    if (at == holds_.end()) return;
    forget_indexes(at);
    holds_.erase(at);
}

void stream_holds::clear() noexcept {
    holds_.clear();
    by_due_.clear();
    froms_.clear();
}

const stream_holds::hold* stream_holds::find(std::string_view stream) const {
    const auto at = holds_.find(stream);
    return at == holds_.end() ? nullptr : &at->second;
}

std::optional<std::string> stream_holds::first_due(instant now) const {
    if (by_due_.empty() || by_due_.begin()->first > now) return std::nullopt;
    return by_due_.begin()->second;
}

std::optional<instant> stream_holds::next_due() const {
    if (by_due_.empty()) return std::nullopt;
    return by_due_.begin()->first;
}

std::optional<store::sequence> stream_holds::lowest() const {
    if (froms_.empty()) return std::nullopt;
    return *froms_.begin();
}

bool stream_holds::is_consistent() const {
    const auto travelling = std::ranges::count_if(holds_, [](const auto& each) { return each.second.travelling; });
    return froms_.size() == holds_.size() && by_due_.size() + static_cast<std::size_t>(travelling) == holds_.size();
}

void stream_holds::forget_indexes(entry at) {
    by_due_.erase({at->second.due, at->first});
    froms_.erase(froms_.find(at->second.from));
}

}  // namespace sluice::outbox
