#include "consume/keeping_reader.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <set>
#include <utility>

#include "consume/kept_entry.hpp"

namespace sluice::consume {

namespace {

/// Messages come due, are replayed, and are left by dead readers without a wake-up.
constexpr duration look_again_after = std::chrono::seconds{1};
/// Of reads whose messages must all wait, before others get their turn.
constexpr int most_reads = 10;

}  // namespace

keeping_reader::keeping_reader(std::unique_ptr<broker::reader> inner, std::unique_ptr<store::kept_message_session> kept,
                               keeping with)
    : inner_{std::move(inner)}, kept_{std::move(kept)}, with_{std::move(with)} {
    for (const std::string& stream : with_.streams) {
        places_.push_back({.at = {.broker = with_.broker, .stream = stream, .group = with_.member.group}});
    }
}

store::kept_claim keeping_reader::claim(date_time now) const {
    return {.owner = seat_, .now = now, .ttl = with_.member.claim};
}

std::vector<broker::delivery> keeping_reader::read(std::size_t stream, std::size_t limit, date_time now) {
    std::vector<broker::delivery> found;
    take_kept(places_[stream], limit, now, found);
    unread_ = false;
    for (int reads = 0; found.empty() || (reads == 0 && found.size() < limit); ++reads) {
        unread_ = reads == most_reads;
        if (unread_) break;
        auto fresh = inner_->read(stream, limit - found.size(), now);
        if (fresh.empty()) break;
        sort_out(stream, std::move(fresh), now, found);
        if (found.size() < limit) take_kept(places_[stream], limit - found.size(), now, found);
    }
    return found;
}

void keeping_reader::take_kept(place& from, std::size_t limit, date_time now, std::vector<broker::delivery>& into) {
    const instant time = with_.time.monotonic_now();
    if (from.looked && time - *from.looked < look_again_after) return;
    std::vector<store::sequence> in_hand;
    for (const auto& [entry, each] : from.in_hand) in_hand.push_back(each.name.number);
    const store::kept_page page{.limit = limit,
                                .behind = with_.most_behind - std::min(with_.most_behind, in_hand.size())};
    std::size_t taken = 0;
    for (store::kept_message& each : kept_->take(from.at, page, in_hand, claim(now))) {
        ++taken;
        std::string entry = kept_entry(each.number);
        from.in_hand[entry] = {.name = {.number = each.number, .key = each.key}};
        into.push_back({.entry = std::move(entry),
                        .stream = from.at.stream,
                        .body = std::move(each.body),
                        .key = std::move(each.key),
                        .attempts = each.attempts,
                        .not_before = each.not_before,
                        .head = std::move(each.head),
                        .content_type = std::move(each.content_type)});
    }
    if (taken < limit) from.looked = time;
}

void keeping_reader::sort_out(std::size_t stream, std::vector<broker::delivery> fresh, date_time now,
                              std::vector<broker::delivery>& into) {
    place& from = places_[stream];
    std::vector<std::string> keys;
    keys.reserve(fresh.size());
    for (const broker::delivery& each : fresh) keys.push_back(with_.key_of(each));
    auto known = keys;
    std::erase(known, std::string{});
    std::set<std::string> waiting;
    if (!known.empty()) {
        const auto found = kept_->waiting_keys(from.at, known);
        waiting.insert(found.begin(), found.end());
    }
    std::vector<store::kept_message> behind;
    std::vector<std::string> entries;
    for (std::size_t i = 0; i < fresh.size(); ++i) {
        if (!waiting.contains(keys[i])) {
            into.push_back(std::move(fresh[i]));
            continue;
        }
        entries.push_back(fresh[i].entry);
        behind.push_back(to_keep(from, fresh[i], std::move(keys[i])));
    }
    if (behind.empty()) return;
    static_cast<void>(kept_->keep(behind, claim(now)));
    inner_->ack(stream, entries);
    from.looked.reset();
}

store::kept_message keeping_reader::to_keep(const place& from, const broker::delivery& message, std::string key) const {
    return {.at = from.at,
            .entry = message.entry,
            .key = std::move(key),
            .body = message.body,
            .head = message.head,
            .content_type = message.content_type,
            .attempts = message.attempts,
            .consumer = with_.member.consumer};
}

const store::kept_name* keeping_reader::find(const place& from, std::string_view entry) const {
    const auto found = from.in_hand.find(entry);
    return found == from.in_hand.end() ? nullptr : &found->second.name;
}

std::optional<store::kept_removal> keeping_reader::removal_of(std::size_t stream, std::string_view entry) const {
    const place& from = places_[stream];
    const store::kept_name* const name = find(from, entry);
    if (name == nullptr) return std::nullopt;
    return store::kept_removal{.at = from.at, .owner = seat_, .name = *name};
}

void keeping_reader::removed(std::size_t stream, std::string_view entry) {
    place& from = places_[stream];
    const auto found = from.in_hand.find(entry);
    if (found == from.in_hand.end()) return;
    found->second.removed = true;
    from.looked.reset();
}

base::wake_reason keeping_reader::wait(base::wake_signal& signal, duration timeout) {
    if (unread_) return base::wake_reason::file_changed;
    const auto reason = inner_->wait(signal, std::min(timeout, look_again_after));
    return reason == base::wake_reason::timed_out && timeout > look_again_after ? base::wake_reason::file_changed
                                                                                : reason;
}

void keeping_reader::heartbeat(date_time now) {
    inner_->heartbeat(now);
    const bool any = std::ranges::any_of(places_, [](const place& each) { return !each.in_hand.empty(); });
    if (any) kept_->renew(with_.broker, with_.member.group, claim(now));
}

void keeping_reader::release() {
    inner_->release();
    kept_->release(with_.broker, with_.member.group, seat_);
}

void keeping_reader::ack(std::size_t stream, std::span<const std::string> entries) {
    place& from = places_[stream];
    std::vector<std::string> at_broker;
    std::vector<store::kept_name> handled;
    for (const std::string& each : entries) {
        const auto found = from.in_hand.find(each);
        if (found == from.in_hand.end()) {
            at_broker.push_back(each);
        } else if (!found->second.removed) {
            handled.push_back(found->second.name);
        }
    }
    if (!handled.empty()) {
        kept_->remove(from.at, seat_, handled);
        from.looked.reset();
    }
    for (const std::string& each : entries) from.in_hand.erase(each);
    if (!at_broker.empty()) inner_->ack(stream, at_broker);
}

void keeping_reader::defer(std::size_t stream, const broker::delivery& message, int attempts, date_time not_before) {
    place& from = places_[stream];
    if (const store::kept_name* const name = find(from, message.entry)) {
        return kept_->defer(name->number, seat_, attempts, not_before);
    }
    store::kept_message failed = to_keep(from, message, with_.key_of(message));
    failed.attempts = attempts;
    failed.not_before = not_before;
    const store::sequence number = kept_->keep({&failed, 1}, claim(with_.time.now())).at(0);
    from.in_hand[message.entry] = {.name = {.number = number, .key = std::move(failed.key)}};
    inner_->ack(stream, std::array{message.entry});
}

void keeping_reader::dead_letter(std::size_t stream, const broker::delivery& message, const broker::death& why) {
    place& from = places_[stream];
    const store::kept_name* const name = find(from, message.entry);
    store::kept_message dead = to_keep(from, message, name != nullptr ? name->key : with_.key_of(message));
    dead.attempts = why.attempts;
    dead.reason = why.reason;
    dead.code = why.code;
    dead.dead_since = why.at;
    if (name != nullptr) {
        kept_->bury(*name, seat_, dead);
        from.in_hand.erase(message.entry);
        from.looked.reset();
        return;
    }
    static_cast<void>(kept_->keep({&dead, 1}, claim(why.at)));
    inner_->ack(stream, std::array{message.entry});
}

}  // namespace sluice::consume
