#include "operate/event_feed.hpp"

#include <algorithm>
#include <utility>

namespace sluice::operate {

namespace {

constexpr std::size_t events_of_a_page = 100;

}  // namespace

bool event_feed::begin(std::vector<log_tail>& tails) {
    if (!filter_.newest_first) return true;
    std::vector<located_event> found;
    store::event_filter newest = filter_;
    for (log_tail& tail : tails) {
        newest.upto = tail.upto();
        for (store::stream_event& each : tail.session().events(newest)) {
            found.push_back({tail.name(), std::move(each)});
        }
        tail.move_to(tail.upto());
    }
    if (tails.size() > 1) merge_events(found, newest);
    std::ranges::reverse(found);
    return std::ranges::all_of(found, [this](const located_event& each) { return give_new(each); });
}

bool event_feed::advance(log_tail& tail) {
    store::event_filter next = filter_;
    next.newest_first = false;
    next.limit = events_of_a_page;
    while (tail.position() < tail.upto()) {
        next.after = tail.position();
        next.upto = tail.upto();
        const std::vector<store::stream_event> found = tail.session().events(next);
        for (const store::stream_event& each : found) {
            if (!give_new({tail.name(), each})) return false;
            tail.move_to(each.seq);
        }
        if (found.size() < events_of_a_page) tail.move_to(tail.upto());
    }
    return true;
}

bool event_feed::give_new(const located_event& each) {
    const auto lately = shown_.try_emplace(each.database, shown_lately{log_tail::looked_back}).first;
    const auto news = lately->second.see(each.at.seq, {}, each.at.event.message_id);
    return news == shown_lately::news::same || give_(each);
}

}  // namespace sluice::operate
