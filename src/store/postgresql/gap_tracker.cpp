#include "store/postgresql/gap_tracker.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace sluice::store::postgresql {

std::optional<sequence> gap_tracker::horizon() const {
    if (gaps_.empty()) return std::nullopt;
    return gaps_.begin()->first;
}

std::vector<gap_tracker::range> gap_tracker::gaps() const {
    std::vector<range> all;
    all.reserve(gaps_.size());
    for (const auto& [first, hole] : gaps_) all.push_back({first, hole.last});
    return all;
}

std::optional<sequence> gap_tracker::barrier(std::optional<duration> wait, time_point now) const {
    if (!wait) return horizon();
    const auto young = std::ranges::find_if(gaps_, [&](const auto& entry) { return now - entry.second.since < *wait; });
    if (young == gaps_.end()) return std::nullopt;
    return young->first;
}

void gap_tracker::scanned(sequence upto, std::span<const range> missing, time_point now) {
    for (const auto& [first, last] : missing) gaps_.emplace(first, gap{.last = last, .since = now});
    high_ = std::max(high_, upto);
    assert(is_consistent());
}

bool gap_tracker::is_consistent() const {
    sequence last = 0;
    for (const auto& [first, hole] : gaps_) {
        if (first <= last || hole.last < first || hole.last > high_) return false;
        last = hole.last;
    }
    return true;
}

void gap_tracker::appeared(sequence number) {
    auto at = gaps_.upper_bound(number);
    if (at == gaps_.begin()) return;
    --at;
    if (at->second.last < number) return;
    const auto [first, whole] = *at;
    gaps_.erase(at);
    if (first < number) {
        auto left = whole;
        left.last = number - 1;
        gaps_.emplace(first, left);
    }
    if (number < whole.last) gaps_.emplace(number + 1, whole);
    assert(is_consistent());
}

bool gap_tracker::wants_bound() const noexcept {
    return std::ranges::any_of(gaps_, [](const auto& entry) { return !entry.second.bound; });
}

void gap_tracker::bound(transaction_id next) {
    for (auto& [first, hole] : gaps_) {
        if (!hole.bound) hole.bound = next;
    }
}

void gap_tracker::all_ended_below(transaction_id oldest) {
    std::erase_if(gaps_, [oldest](const auto& entry) { return entry.second.bound && *entry.second.bound <= oldest; });
}

bool gap_tracker::wants_writers(time_point now) const {
    return now - asked_ >= patience &&
           std::ranges::any_of(gaps_, [now](const auto& entry) { return now - entry.second.since >= patience; });
}

void gap_tracker::writers(const std::vector<writer>& holding, sequence drawn, time_point now) {
    asked_ = now;
    note_idle(holding, drawn);
    std::set<std::string> names;
    for (const auto& each : holding) names.insert(each.name);
    if (watching_) {
        std::erase_if(watched_writers_, [&names](const auto& name) { return !names.contains(name); });
    } else {
        watching_ = true;
        watched_writers_ = std::move(names);
        for (auto& [first, hole] : gaps_) hole.watched = true;
    }
    std::erase_if(gaps_, [this](const auto& entry) { return entry.second.watched && !can_be_filled(entry.first); });
    // Of those who are idle nothing is learnt by watching: the next to be watched are those of now, for all gaps.
    watching_ = std::ranges::any_of(watched_writers_, [this](const auto& name) { return !idlers_.contains(name); });
}

void gap_tracker::note_idle(const std::vector<writer>& holding, sequence drawn) {
    std::map<std::string, idler> idle;
    for (const auto& [name, since] : holding) {
        if (since.empty()) continue;
        const auto known = idlers_.find(name);
        const bool stayed = known != idlers_.end() && known->second.since == since;
        idle.emplace(name, idler{since, stayed ? known->second.drawn : drawn});
    }
    idlers_ = std::move(idle);
}

bool gap_tracker::can_be_filled(sequence first) const {
    return std::ranges::any_of(watched_writers_, [&](const auto& name) {
        const auto idle = idlers_.find(name);
        return idle == idlers_.end() || first <= idle->second.drawn;
    });
}

}  // namespace sluice::store::postgresql
