#include "consume/subscription_plan.hpp"

#include <algorithm>
#include <cassert>
#include <type_traits>

namespace sluice::consume {

namespace {

/// The backfill lane is read in small portions, so that a primary message never waits behind a whole batch of it.
constexpr std::size_t backfill_share = 10;

}  // namespace

action subscription_plan::next(base::moment now) {
    assert(is_consistent());
    if (!breaker_news_.empty()) {
        const breaker_turned first = breaker_news_.front();
        breaker_news_.pop_front();
        return first;
    }
    if (auto failure = last_failure()) return *std::move(failure);
    if (const auto due = acknowledgement_due(now)) return *due;
    if (auto care = tend_claims(now)) return *std::move(care);

    if (const auto probe = breaker_.probes_at(); probe && *probe <= now.steady) {
        breaker_.half_open();
        return breaker_turned{breaker_.is(), breaker_.failures()};
    }
    wake_due(now);
    if (may_hand_out(now)) {
        if (auto work = next_parcel(now)) return *std::move(work);
        // Before anything that may take long, the broker learns what is done.
        if (const auto left = last_acknowledgement()) return *left;
        if (const auto more = read(rank::primary)) return *more;
        if (const auto more = read(rank::backfill)) return *more;
    } else if (in_hand_.empty()) {
        if (const auto left = last_acknowledgement()) return *left;
    }
    return resting(now);
}

bool subscription_plan::may_hand_out(base::moment now) const {
    return !paused(now) && breaker_.admits() && in_hand_.size() < settings_.hands * settings_.together;
}

std::optional<action> subscription_plan::next_parcel(base::moment now) {
    if (ready_.empty()) return std::nullopt;
    const rank which = ready_.begin()->first;
    if (which == rank::backfill) {
        if (ack_before_reading_) return *last_acknowledgement();
        if (const auto look = read(rank::primary)) return *look;
        for (std::size_t source = 0; source < settings_.primaries; ++source) exhausted_.erase(source);
    }
    const handle_parcel first = hand_out(ready_.begin());
    if (which == rank::backfill || !may_share(first.number)) return first;
    auto bundle = gather(first, now);
    if (bundle.parcels.size() == 1) return first;
    return bundle;
}

handle_together subscription_plan::gather(handle_parcel first, base::moment now) {
    handle_together bundle{{first}};
    for (auto each = ready_.begin(); each != ready_.end() && each->first == rank::primary;) {
        if (bundle.parcels.size() == settings_.together || !may_hand_out(now)) break;
        const auto candidate = each++;
        if (may_share(candidate->second)) bundle.parcels.push_back(hand_out(candidate));
    }
    return bundle;
}

bool subscription_plan::may_share(number head) const {
    const item& one = items_.at(head);
    return settings_.together > 1 && one.what.delivery.attempts == 0 && one.conflicts == 0 && one.hindrances == 0;
}

handle_parcel subscription_plan::hand_out(std::set<std::pair<rank, number>>::iterator head) {
    const number id = head->second;
    ready_.erase(head);
    in_hand_.insert(id);
    item& handed_out = items_.at(id);
    if (handed_out.hindrances == 0) handed_out.handled_before = handled_;
    const parcel& what = handed_out.what;
    breaker_.handed_out(what.source, what.delivery.entry);
    return {id, &what};
}

void subscription_plan::received(std::size_t source, std::vector<arrival> arrivals, base::moment now) {
    if (arrivals.empty()) {
        exhausted_.insert(source);
        return;
    }
    exhausted_.clear();
    if (items_.empty()) last_beat_ = now.steady;
    largest_[source] /= 2;
    for (const arrival& each : arrivals) {
        largest_[source] = std::max(largest_[source], each.what.delivery.body.size());
    }
    for (arrival& each : arrivals) {
        std::visit(
            [&](auto& is) {
                using kind = std::remove_cvref_t<decltype(is)>;
                if constexpr (std::is_same_v<kind, wanted>) {
                    accept(std::move(each.what), is.key, now);
                } else if constexpr (std::is_same_v<kind, unwanted>) {
                    const std::size_t bytes = each.what.delivery.body.size();
                    count_receipt(
                        source, {std::move(each.what.delivery.entry), std::move(each.what.content), false, bytes}, now);
                } else {
                    const int attempts = each.what.delivery.attempts;
                    burials_.push_back(
                        {std::move(each.what), {std::move(is.reason), std::move(is.code), attempts, now.wall}});
                }
            },
            each.is);
    }
}

bool subscription_plan::handled(parcel_number id, bool duplicate, base::moment now) {
    const parcel& what = in_hand(id);
    note(breaker_.succeeded(what.source, what.delivery.entry));
    settle(id, duplicate, now);
    // A duplicate was read and not written, which proves less.
    if (!duplicate) {
        ++handled_;
        resume_at_ = {};
    }
    return end_outage();
}

void subscription_plan::skipped(parcel_number id, base::moment now) {
    const parcel& what = in_hand(id);
    breaker_.withdrawn(what.source, what.delivery.entry);
    settle(id, false, now);
}

void subscription_plan::settle(parcel_number id, bool duplicate, base::moment now) {
    auto orphan = take_orphan(id);
    if (orphan) ack_before_reading_ = true;
    parcel done = orphan ? *std::move(orphan) : take(id);
    const std::size_t bytes = done.delivery.body.size();
    count_receipt(done.source, {std::move(done.delivery.entry), std::move(done.content), duplicate, bytes}, now);
}

bool subscription_plan::failed(parcel_number id, std::string reason, std::string code, base::moment now) {
    const parcel& blamed = in_hand(id);
    note(breaker_.failed(blamed.source, blamed.delivery.entry, now.steady));
    // The broker will hand an orphan out again, and takes no word about it before that.
    if (take_orphan(id)) return end_outage();

    charge(id, {std::move(reason), std::move(code)}, false, now);
    return end_outage();
}

void subscription_plan::charge(parcel_number id, trouble why, bool hindered, base::moment now) {
    item& failing = items_.at(id);
    failing.hindrances = 0;
    failing.conflicts = 0;
    const int attempts = failing.what.delivery.attempts + 1;
    if (attempts >= settings_.max_attempts) {
        burials_.push_back({take(id), {std::move(why.reason), std::move(why.code), attempts, now.wall}, hindered});
        return;
    }
    failing.what.delivery.attempts = attempts;
    const duration delay = settings_.retry.delay(attempts);
    deferrals_.push_back({failing.what, attempts, now.wall + delay, std::move(why.reason), hindered});
    await_retry(id, now.steady + delay);
}

void subscription_plan::await_retry(parcel_number id, instant due) {
    in_hand_.erase(id);
    items_.at(id).due = due;
    await_turn(id);
}

void subscription_plan::contended(parcel_number id, trouble why, double chance, base::moment now) {
    assert(chance >= 0 && chance < 1);
    const parcel& what = in_hand(id);
    if (!orphans_.contains(id) && ++items_.at(id).conflicts >= settings_.most_conflicts) {
        static_cast<void>(failed(id, std::move(why.reason), std::move(why.code), now));
        return;
    }
    breaker_.withdrawn(what.source, what.delivery.entry);
    if (take_orphan(id)) return;
    const auto whole = static_cast<double>(settings_.contention.delay(items_.at(id).conflicts).count());
    await_retry(id, now.steady + duration{static_cast<duration::rep>(whole * (1 + chance) / 2)});
}

bool subscription_plan::hindered(parcel_number id, trouble why, base::moment now) {
    const parcel& what = in_hand(id);
    if (orphans_.contains(id)) {
        withdrawn(id);
        return begin_outage(now);
    }
    item& of = items_.at(id);
    const bool others_go_on = handled_ > std::exchange(of.handled_before, handled_);
    const bool often = ++of.hindrances >= settings_.patience;
    of.suspect = of.suspect || others_go_on;
    if (often && others_go_on) {
        note(breaker_.failed(what.source, what.delivery.entry, now.steady));
        charge(id, std::move(why), true, now);
        return false;
    }
    breaker_.withdrawn(what.source, what.delivery.entry);
    const bool lets_others_try = often || of.suspect;
    await_retry(id, now.steady + settings_.outage.delay(of.hindrances));
    return lets_others_try ? false : begin_outage(now);
}

bool subscription_plan::interrupted(parcel_number id, base::moment now) {
    withdrawn(id);
    return begin_outage(now);
}

bool subscription_plan::begin_outage(base::moment now) {
    // What else was in hand fails by the same outage.
    if (paused(now)) return false;
    ++outages_;
    resume_at_ = now.steady + settings_.outage.delay(outages_);
    return outages_ == 1;
}

void subscription_plan::withdrawn(parcel_number id) {
    const parcel& what = in_hand(id);
    breaker_.withdrawn(what.source, what.delivery.entry);
    if (take_orphan(id)) return;
    in_hand_.erase(id);
    await_turn(id);
}

void subscription_plan::acknowledged(std::size_t source) {
    ack_count_ -= acks_[source].size();
    for (const receipt& each : acks_[source]) ack_bytes_ -= each.bytes;
    acks_[source].clear();
    if (ack_count_ == 0) ack_before_reading_ = false;
}

void subscription_plan::lost(base::moment now) {
    for (const number each : in_hand_) {
        auto held = items_.extract(each);
        if (held.empty()) continue;  // an orphan already
        busy_.insert(held.mapped().key);
        orphans_.insert(std::move(held));
    }
    items_.clear();
    keys_.clear();
    ready_.clear();
    waiting_.clear();
    burials_.clear();
    deferrals_.clear();
    exhausted_.clear();
    backfill_held_ = 0;
    backfill_held_bytes_ = 0;
    held_bytes_ = 0;
    for (const auto& [id, orphan] : orphans_) held_bytes_ += orphan.what.delivery.body.size();
    ack_before_reading_ = ack_count_ > 0;
    last_beat_ = now.steady;
}

std::optional<action> subscription_plan::last_failure() {
    if (!deferrals_.empty()) {
        put_off first = std::move(deferrals_.front());
        deferrals_.pop_front();
        return first;
    }
    if (!burials_.empty()) {
        set_aside first = std::move(burials_.front());
        burials_.pop_front();
        return first;
    }
    return std::nullopt;
}

const parcel& subscription_plan::in_hand(parcel_number id) const {
    const auto orphan = orphans_.find(id);
    return orphan != orphans_.end() ? orphan->second.what : items_.at(id).what;
}

std::optional<acknowledge> subscription_plan::last_acknowledgement() const {
    for (std::size_t source = 0; source < acks_.size(); ++source) {
        if (!acks_[source].empty()) return acknowledge{source, &acks_[source]};
    }
    return std::nullopt;
}

void subscription_plan::accept(parcel what, const std::string& key, base::moment now) {
    if (adopt(what)) return;
    const number id = next_number_++;
    lane_key full = key_of(what, key);
    // The time that the broker keeps is the calendar's: it is believed only as far as a failed attempt could have meant
    // it.
    const instant due = what.delivery.not_before
                            ? now.until(*what.delivery.not_before, settings_.retry.delay(what.delivery.attempts))
                            : instant{};
    std::deque<number>& queue = keys_[full];
    queue.push_back(id);
    const bool head = queue.size() == 1 && !busy_.contains(full);
    hold(what);
    items_.emplace(id, item{std::move(what), std::move(full), due});
    if (head) await_turn(id);
}

subscription_plan::lane_key subscription_plan::key_of(const parcel& what, const std::string& key) const {
    // No key begins with a NUL.
    if (key.empty()) return {what.source, '\0' + what.delivery.entry};
    return {settings_.keys_span_sources ? 0 : what.source, key};
}

/// Takes a parcel in hand back among those that are claimed, when the broker has handed it out again.
bool subscription_plan::adopt(const parcel& again) {
    const auto found = std::find_if(orphans_.begin(), orphans_.end(), [&](const auto& each) {
        const parcel& what = each.second.what;
        return what.source == again.source && what.delivery.entry == again.delivery.entry;
    });
    if (found == orphans_.end()) return false;
    const number id = found->first;
    const item& back = items_.insert(orphans_.extract(found)).position->second;
    if (rank_of(again.source) == rank::backfill) {
        ++backfill_held_;
        backfill_held_bytes_ += back.what.delivery.body.size();
    }
    busy_.erase(back.key);
    keys_[back.key].push_front(id);
    return true;
}

void subscription_plan::await_turn(number head) { waiting_.emplace(items_.at(head).due, head); }

parcel subscription_plan::take(number done) {
    in_hand_.erase(done);
    const auto found = items_.find(done);
    parcel taken = std::move(found->second.what);
    const auto queue = keys_.find(found->second.key);
    items_.erase(found);
    let_go(taken);

    queue->second.pop_front();
    if (queue->second.empty()) {
        keys_.erase(queue);
    } else {
        await_turn(queue->second.front());
    }
    return taken;
}

/// A parcel whose consumers are gone is out of hand, and its key is free.
std::optional<parcel> subscription_plan::take_orphan(number done) {
    auto orphan = orphans_.extract(done);
    if (orphan.empty()) return std::nullopt;
    in_hand_.erase(done);
    busy_.erase(orphan.mapped().key);
    const auto queue = keys_.find(orphan.mapped().key);
    if (queue != keys_.end()) await_turn(queue->second.front());
    held_bytes_ -= orphan.mapped().what.delivery.body.size();
    return std::move(orphan.mapped().what);
}

void subscription_plan::hold(const parcel& what) noexcept {
    const std::size_t bytes = what.delivery.body.size();
    held_bytes_ += bytes;
    if (rank_of(what.source) != rank::backfill) return;
    ++backfill_held_;
    backfill_held_bytes_ += bytes;
}

void subscription_plan::let_go(const parcel& what) noexcept {
    const std::size_t bytes = what.delivery.body.size();
    held_bytes_ -= bytes;
    if (rank_of(what.source) != rank::backfill) return;
    --backfill_held_;
    backfill_held_bytes_ -= bytes;
}

void subscription_plan::wake_due(base::moment now) {
    while (!waiting_.empty() && waiting_.begin()->first <= now.steady) {
        const number id = waiting_.begin()->second;
        waiting_.erase(waiting_.begin());
        ready_.emplace(rank_of(items_.at(id).what.source), id);
    }
}

void subscription_plan::count_receipt(std::size_t source, receipt what, base::moment now) {
    if (ack_count_ == 0) oldest_ack_ = now.steady;
    ack_bytes_ += what.bytes;
    acks_[source].push_back(std::move(what));
    ++ack_count_;
}

bool subscription_plan::end_outage() noexcept { return std::exchange(outages_, 0) > 0; }

std::optional<acknowledge> subscription_plan::acknowledgement_due(base::moment now) const {
    const bool due = ack_count_ >= settings_.ack_limit || ack_bytes_ >= settings_.read_bytes ||
                     (ack_count_ > 0 && now.steady - oldest_ack_ >= settings_.ack_delay);
    return due ? last_acknowledgement() : std::nullopt;
}

std::optional<action> subscription_plan::tend_claims(base::moment now) {
    if (items_.empty()) return std::nullopt;
    const duration silent = now.steady - last_beat_;
    if (silent >= settings_.claim) {
        if (const auto first = last_acknowledgement()) return *first;
        return reopen{};
    }
    if (silent < settings_.claim / 3) return std::nullopt;
    last_beat_ = now.steady;
    return keep_claims{};
}

std::size_t subscription_plan::room_for(rank which) const noexcept {
    if (items_.size() >= settings_.max_held || held_bytes_ >= settings_.max_held_bytes) return 0;
    const std::size_t room = settings_.max_held - items_.size();
    if (which == rank::primary) return room;
    if (backfill_held_bytes_ > settings_.max_held_bytes / 2) return 0;
    const std::size_t share = std::max<std::size_t>(settings_.max_held / 2, 1);
    return backfill_held_ >= share ? 0 : std::min(room, share - backfill_held_);
}

std::size_t subscription_plan::messages_per_read(std::size_t source) const {
    const std::size_t size = std::max<std::size_t>(largest_[source], 1);
    return std::clamp<std::size_t>(settings_.read_bytes / size, 1, settings_.read_limit);
}

/// The streams of a rank take turns, so that a busy one does not keep the others from being read.
std::optional<read_more> subscription_plan::read(rank which) {
    const std::size_t first = which == rank::primary ? 0 : settings_.primaries;
    const std::size_t count = which == rank::primary ? settings_.primaries : settings_.sources - settings_.primaries;
    const std::size_t room = room_for(which);
    if (room == 0) return std::nullopt;
    std::size_t& turn = turns_[which];
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t place = (turn + i) % count;
        if (exhausted_.contains(first + place)) continue;
        turn = place + 1;
        if (breaker_.is() == circuit_breaker::state::half_open) return read_more{first + place, 1};
        const std::size_t share = which == rank::primary ? 1 : backfill_share;
        return read_more{first + place,
                         std::min(room, std::max<std::size_t>(messages_per_read(first + place) / share, 1))};
    }
    return std::nullopt;
}

rest subscription_plan::resting(base::moment now) {
    const bool working = may_hand_out(now);
    instant until = now.steady + settings_.poll;
    if (paused(now)) until = std::min(until, resume_at_);
    if (const auto probe = breaker_.probes_at()) until = std::min(until, *probe);
    if (working && !waiting_.empty()) until = std::min(until, waiting_.begin()->first);
    if (ack_count_ > 0) until = std::min(until, oldest_ack_ + settings_.ack_delay);
    if (!items_.empty()) until = std::min(until, last_beat_ + settings_.claim / 3);
    exhausted_.clear();  // whatever ends the rest, look again
    return {until, working && room_for(rank::primary) > 0};
}

bool subscription_plan::is_consistent() const {
    constexpr std::size_t most_items = 100;
    if (items_.size() > most_items) return true;
    std::size_t queued = 0;
    for (const auto& [key, queue] : keys_) queued += queue.size();
    std::size_t bytes = 0;
    for (const auto& [id, each] : items_) bytes += each.what.delivery.body.size();
    for (const auto& [id, each] : orphans_) bytes += each.what.delivery.body.size();
    std::size_t receipts = 0;
    for (const auto& each : acks_) receipts += each.size();
    const bool all_in_hand_are_known =
        std::ranges::all_of(in_hand_, [this](number each) { return items_.contains(each) || orphans_.contains(each); });
    return queued == items_.size() && bytes == held_bytes_ && receipts == ack_count_ && all_in_hand_are_known &&
           busy_.size() == orphans_.size() && heads_are_placed();
}

/// The first of a key is in hand, ready, or waiting, unless an orphan has its key; the others are nowhere.
bool subscription_plan::heads_are_placed() const {
    for (const auto& [key, queue] : keys_) {
        for (const number each : queue) {
            const item& one = items_.at(each);
            const auto places =
                in_hand_.count(each) + ready_.count({rank_of(one.what.source), each}) + waiting_.count({one.due, each});
            const bool is_placed = each == queue.front() && !busy_.contains(key);
            if (places != (is_placed ? 1U : 0U)) return false;
        }
    }
    return true;
}

void subscription_plan::note(std::optional<circuit_breaker::state> turned) {
    if (turned) breaker_news_.push_back({*turned, breaker_.failures()});
}

}  // namespace sluice::consume
