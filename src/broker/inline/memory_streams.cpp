#include "broker/inline/memory_streams.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "broker/admission.hpp"
#include "broker/group_is_taken.hpp"
#include "broker/hand_out.hpp"
#include "broker/reused_id.hpp"
#include "envelope/content.hpp"

namespace sluice::broker::memory {
namespace {

bool matches(const dead_letter_filter& filter, const dead_letter_entry& dead) {
    return (filter.stream.empty() || filter.stream == dead.stream) &&
           (filter.group.empty() || filter.group == dead.group) && (filter.id.empty() || filter.id == dead.id);
}

}  // namespace

std::vector<verdict> memory_streams::publish(std::span<const outgoing> batch, const producer& from) {
    const std::lock_guard lock{mutex_};
    if (!from.name.empty()) {
        auto& last = fences_[from.name];
        if (is_fenced(from, last)) {
            return std::vector<verdict>(batch.size(), unreachable{fenced_text(from, last)});
        }
        last = {.epoch = from.epoch, .owner = from.owner, .place = from.place, .timeline = from.timeline};
        for (const auto& name : from.former) {
            if (fences_[name].epoch < from.epoch) fences_[name] = last;
        }
    }

    admission gate{0};
    std::set<std::string_view> touched;
    std::vector<verdict> verdicts;
    verdicts.reserve(batch.size());
    for (const auto& message : batch) {
        auto said = gate.check(message);
        if (!said) {
            said = insert(message);
            if (!std::holds_alternative<delivered>(*said)) gate.hold_back(message);
            touched.insert(message.stream);
        }
        verdicts.push_back(*std::move(said));
    }
    for (const auto name : touched) announce(streams_.find(name)->second);
    return verdicts;
}

std::optional<fence_state> memory_streams::fence_of(std::string_view producer) {
    const std::lock_guard lock{mutex_};
    const auto found = fences_.find(producer);
    return found == fences_.end() ? std::nullopt : std::optional{found->second};
}

std::vector<std::string> memory_streams::newest_ids(std::string_view name, std::size_t limit) {
    const std::lock_guard lock{mutex_};
    std::vector<std::string> ids;
    const auto found = streams_.find(name);
    if (found == streams_.end()) return ids;
    for (auto entry = found->second.entries.rbegin(); entry != found->second.entries.rend() && ids.size() < limit;
         ++entry) {
        ids.push_back(entry->second.id);
    }
    return ids;
}

entry_id memory_streams::last_entry() {
    const std::lock_guard lock{mutex_};
    return last_entry_;
}

std::vector<std::pair<entry_id, std::string>> memory_streams::entries(std::string_view name, entry_id after,
                                                                      entry_id upto, std::size_t limit) {
    const std::lock_guard lock{mutex_};
    std::vector<std::pair<entry_id, std::string>> found;
    const auto of = streams_.find(name);
    if (of == streams_.end()) return found;
    const auto& kept = of->second.entries;
    for (auto at = kept.upper_bound(after); at != kept.end() && at->first <= upto && found.size() < limit; ++at) {
        if (!at->second.replayed) found.emplace_back(at->first, at->second.id);
    }
    return found;
}

/// The oldest that every group has acknowledged makes room, which need not be the first.
bool memory_streams::may_have_removed(std::string_view name, entry_id entry) {
    const std::lock_guard lock{mutex_};
    const auto of = streams_.find(name);
    return of != streams_.end() && entry <= last_entry_ && of->second.entries.size() >= max_entries_;
}

std::optional<fence_state> memory_streams::rival_of(const producer& from) {
    auto last = fence_of(from.name);
    return last && is_fenced(from, *last) ? std::move(last) : std::nullopt;
}

verdict memory_streams::insert(const outgoing& message) {
    auto& s = streams_[std::string{message.stream}];
    std::string id{message.message_id};
    std::optional<entry_id> earlier;
    const auto [known, end] = s.by_message_id.equal_range(id);
    for (auto it = known; it != end; ++it) {
        earlier = it->second;
        if (envelope::are_copies(s.entries.at(*earlier).body, message.body)) return delivered{std::to_string(*earlier)};
    }
    if (s.entries.size() >= max_entries_ && !make_room(s)) {
        return unreachable{fmt::format("stream {} is full ({} messages that some group has not acknowledged)",
                                       message.stream, s.entries.size())};
    }
    if (earlier) tell_of_reused_id(message, std::to_string(*earlier));
    const auto entry = ++last_entry_;
    s.by_message_id.emplace(id, entry);
    s.entries.emplace(entry, stored{std::move(id), std::string{message.key}, std::string{message.body}});
    return delivered{std::to_string(entry)};
}

memory_streams::group& memory_streams::group_of(const seat& at) {
    auto& s = streams_[at.stream];
    if (!at.member.former_group.empty() && !s.groups.contains(at.member.group)) {
        if (auto former = s.groups.extract(at.member.former_group)) {
            former.key() = at.member.group;
            s.groups.insert(std::move(former));
        }
    }
    const auto [found, is_new] = s.groups.try_emplace(at.member.group);
    group& g = found->second;
    if (is_new && at.member.from == start::now && !s.entries.empty()) g.cursor = s.entries.rbegin()->first;
    g.domain = at.member.domain;
    if (std::exchange(g.abandoned, false)) {
        std::erase_if(g.pending, [&](const auto& each) { return !s.entries.contains(each.first); });
    }
    return g;
}

/// Drops the oldest entry that every group has acknowledged.
bool memory_streams::make_room(stream& s) {
    const auto unneeded = [&](const auto& kept) {
        return std::all_of(s.groups.begin(), s.groups.end(),
                           [&](const auto& g) { return g.second.is_done_with(kept.first); });
    };
    const auto oldest = std::find_if(s.entries.begin(), s.entries.end(), unneeded);
    if (oldest == s.entries.end()) return false;
    const auto [first, end] = s.by_message_id.equal_range(oldest->second.id);
    const auto known = std::find_if(first, end, [&](const auto& each) { return each.second == oldest->first; });
    if (known != end) s.by_message_id.erase(known);
    s.entries.erase(oldest);
    return true;
}

std::vector<delivery> memory_streams::read(const seat& at, const std::unordered_set<entry_id>& held, std::size_t limit,
                                           date_time now) {
    const std::lock_guard lock{mutex_};
    auto& s = streams_[at.stream];
    auto& g = group_of(at);
    const auto me = at.member.seat();

    std::vector<delivery> taken;
    const auto hand = [&](entry_id entry, claim& by) {
        by.consumer = me;
        taken.push_back({.entry = std::to_string(entry),
                         .stream = at.stream,
                         .body = s.entries.at(entry).body,
                         .key = by.key,
                         .attempts = by.attempts,
                         .not_before = by.not_before});
    };
    const auto holder_of = [&](entry_id entry, const claim& by) {
        if (by.consumer == me) return held.contains(entry) ? holder::reader : holder::nobody;
        if (!by.consumer) return holder::nobody;
        const auto found = g.members.find(*by.consumer);
        if (found == g.members.end() || found->second.until <= now) return holder::nobody;
        const auto kin = kinship_of(at.member, found->second.name, found->second.process);
        return kin == kinship::predecessor ? holder::nobody : holder::somebody_else;
    };

    hand_out decide{limit, hand_out::default_max_parked, at.member.page_bytes};
    auto step = hand_out_step::leave;
    for (auto& [entry, by] : g.pending) {
        step = decide.pending(by.key, holder_of(entry, by), s.entries.at(entry).body.size());
        if (step == hand_out_step::stop) break;
        if (step == hand_out_step::take) hand(entry, by);
    }

    std::vector<entry_id> passed_over;  // since the last taken one
    for (auto next = s.entries.upper_bound(g.cursor); step != hand_out_step::stop && next != s.entries.end(); ++next) {
        const auto& [entry, m] = *next;
        if (m.replayed) continue;
        step = decide.fresh(m.key, m.body.size());
        if (step == hand_out_step::park) passed_over.push_back(entry);
        if (step != hand_out_step::take) continue;
        for (const auto parked : passed_over) g.pending.emplace(parked, claim{s.entries.at(parked).key});
        passed_over.clear();
        g.cursor = entry;
        hand(entry, g.pending.emplace(entry, claim{m.key}).first->second);
    }
    if (!taken.empty()) g.members[me] = {at.member.consumer, at.member.process, now + at.member.claim};
    return taken;
}

memory_streams::claim* memory_streams::claim_of(const seat& at, entry_id entry) {
    auto& pending = group_of(at).pending;
    const auto found = pending.find(entry);
    return found != pending.end() && found->second.consumer == at.member.seat() ? &found->second : nullptr;
}

void memory_streams::stay_alive(const seat& at, date_time now) {
    const std::lock_guard lock{mutex_};
    group_of(at).members[at.member.seat()] = {at.member.consumer, at.member.process, now + at.member.claim};
}

void memory_streams::release(const seat& at) {
    const std::lock_guard lock{mutex_};
    group_of(at).members.erase(at.member.seat());
    announce(streams_[at.stream]);
}

void memory_streams::ack(const seat& at, std::span<const entry_id> entries) {
    const std::lock_guard lock{mutex_};
    for (const auto entry : entries) {
        if (claim_of(at, entry) != nullptr) group_of(at).pending.erase(entry);
    }
    announce(streams_[at.stream]);  // a key may have become free for another consumer
}

void memory_streams::defer(const seat& at, entry_id entry, int attempts, date_time not_before) {
    const std::lock_guard lock{mutex_};
    if (auto* ours = claim_of(at, entry)) {
        ours->attempts = attempts;
        ours->not_before = not_before;
    }
}

void memory_streams::dead_letter(const seat& at, entry_id entry, const delivery& message, const death& why) {
    const std::lock_guard lock{mutex_};
    if (claim_of(at, entry) == nullptr) return;
    const auto& buried = streams_[at.stream].entries.at(entry);
    const auto id = ++last_grave_;
    dead_letter_entry record{.id = std::to_string(id),
                             .stream = at.stream,
                             .original_entry = message.entry,
                             .group = at.member.group,
                             .consumer = at.member.consumer,
                             .reason = why.reason,
                             .code = why.code,
                             .attempts = why.attempts,
                             .failed_at = why.at,
                             .body = message.body};
    ++dead_[{record.stream, record.group}];
    graves_.emplace(id, grave{entry, buried.id, buried.key, std::move(record)});
    group_of(at).pending.erase(entry);
    announce(streams_[at.stream]);
}

std::uint64_t memory_streams::version(const std::string& name) {
    const std::lock_guard lock{mutex_};
    return streams_[name].version;
}

void memory_streams::watch(const std::string& name, base::wake_signal& sleeper) {
    const std::lock_guard lock{mutex_};
    streams_[name].sleepers.insert(&sleeper);
}

void memory_streams::unwatch(const std::string& name, base::wake_signal& sleeper) {
    const std::lock_guard lock{mutex_};
    auto& sleepers = streams_[name].sleepers;
    sleepers.erase(sleepers.find(&sleeper));
}

void memory_streams::announce(stream& s) {
    ++s.version;
    for (auto* sleeper : s.sleepers) sleeper->notify();
}

std::vector<std::uint64_t> memory_streams::matching(const dead_letter_filter& filter) const {
    std::vector<std::uint64_t> ids;
    for (const auto& [id, g] : graves_) {
        if (ids.size() == filter.limit) break;
        if (matches(filter, g.record)) ids.push_back(id);
    }
    return ids;
}

std::vector<dead_letter_entry> memory_streams::dead_letters(const dead_letter_filter& filter) {
    const std::lock_guard lock{mutex_};
    std::vector<dead_letter_entry> found;
    for (auto g = graves_.rbegin(); g != graves_.rend() && found.size() < filter.limit; ++g) {
        if (matches(filter, g->second.record)) found.push_back(g->second.record);
    }
    return found;
}

std::size_t memory_streams::count(const dead_letter_filter& filter) {
    const std::lock_guard lock{mutex_};
    const auto found =
        std::ranges::count_if(graves_, [&](const auto& each) { return matches(filter, each.second.record); });
    return static_cast<std::size_t>(found);
}

void memory_streams::unbury(std::uint64_t id) {
    const auto found = graves_.find(id);
    forget_one(found->second.record);
    graves_.erase(found);
}

/// Takes a dead letter out of the count of its group.
void memory_streams::forget_one(const dead_letter_entry& record) {
    const auto counter = dead_.find({record.stream, record.group});
    if (--counter->second == 0) dead_.erase(counter);
}

std::size_t memory_streams::replay(const dead_letter_filter& filter) {
    const std::lock_guard lock{mutex_};
    const auto ids = matching(filter);
    for (const auto id : ids) {
        const auto& [entry, message_id, key, record] = graves_.at(id);
        auto& s = streams_[record.stream];
        s.entries.try_emplace(entry, stored{message_id, key, record.body, true});
        s.groups[record.group].pending.emplace(entry, claim{key});
        announce(s);
        unbury(id);
    }
    return ids.size();
}

std::size_t memory_streams::purge(const dead_letter_filter& filter) {
    const std::lock_guard lock{mutex_};
    const auto ids = matching(filter);
    for (const auto id : ids) unbury(id);
    return ids.size();
}

std::vector<group_status> memory_streams::groups() {
    const std::lock_guard lock{mutex_};
    std::vector<group_status> found;
    for (const auto& [stream_name, s] : streams_) {
        for (const auto& [group_name, g] : s.groups) {
            group_status status{.stream = stream_name, .group = group_name, .domain = g.domain};
            for (const auto& [entry, kept] : s.entries) {
                if (kept.replayed) continue;
                ++status.length;
                if (entry > g.cursor) ++status.lag;
            }
            for (const auto& [entry, by] : g.pending) ++(by.consumer ? status.pending : status.lag);
            if (const auto buried = dead_.find({stream_name, group_name}); buried != dead_.end()) {
                status.dead = buried->second;
            }
            found.push_back(std::move(status));
        }
    }
    return found;
}

std::vector<known_group> memory_streams::known_groups() {
    const std::lock_guard lock{mutex_};
    std::vector<known_group> found;
    for (const auto& [stream_name, s] : streams_) {
        for (const auto& [name, g] : s.groups) {
            found.push_back({.stream = stream_name, .group = name, .domain = g.domain});
        }
    }
    return found;
}

std::size_t memory_streams::rename_group(const std::string& from, const std::string& to) {
    const std::lock_guard lock{mutex_};
    for (const auto& [name, s] : streams_) {
        if (s.groups.contains(from) && s.groups.contains(to)) throw group_is_taken(to, name);
    }
    std::size_t renamed = 0;
    for (auto& [name, s] : streams_) {
        auto moved = s.groups.extract(from);
        if (moved.empty()) continue;
        moved.key() = to;
        moved.mapped().abandoned = false;
        s.groups.insert(std::move(moved));
        ++renamed;
    }
    for (auto& [id, buried] : graves_) {
        if (buried.record.group != from) continue;
        forget_one(buried.record);
        buried.record.group = to;
        ++dead_[{buried.record.stream, to}];
    }
    return renamed;
}

std::size_t memory_streams::retire_group(std::string_view stream_name, const std::string& name) {
    const std::lock_guard lock{mutex_};
    const auto is_meant = [&](std::string_view found) { return stream_name.empty() || found == stream_name; };
    std::size_t retired = 0;
    for (auto& [each, s] : streams_) retired += is_meant(each) ? s.groups.erase(name) : 0;
    std::erase_if(graves_, [&](const auto& each) {
        const auto& record = each.second.record;
        if (record.group != name || !is_meant(record.stream)) return false;
        forget_one(record);
        return true;
    });
    return retired;
}

void memory_streams::abandon_group(std::string_view stream_name, const std::string& name) {
    const std::lock_guard lock{mutex_};
    const auto s = streams_.find(stream_name);
    if (s == streams_.end()) return;
    const auto g = s->second.groups.find(name);
    if (g != s->second.groups.end()) g->second.abandoned = true;
}

}  // namespace sluice::broker::memory
