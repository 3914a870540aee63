#include "broker/redis/redis_publisher.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <sluice/message.hpp>

#include "base/fingerprint.hpp"
#include "base/ids.hpp"
#include "broker/redis/durability.hpp"
#include "broker/redis/entry_id.hpp"
#include "broker/redis/error_reply.hpp"
#include "broker/redis/fence_fields.hpp"
#include "broker/redis/keys.hpp"
#include "broker/reused_id.hpp"
#include "observe/log.hpp"

namespace sluice::broker::redis {
namespace {

using namespace std::chrono_literals;

constexpr int max_claims = 5;
constexpr std::size_t tail_page_size = 1'000;
/// Where nothing tells how old an entry in doubt can be, the look at a stream's tail ends after so many.
constexpr std::size_t longest_tail = 50'000;
/// An entry's time is the server's, that of an event its producer's.
constexpr duration clock_difference = 1min;
/// A wave should take about this part of the time for a batch, so that the next ones have theirs.
constexpr int waves_for_a_slow_batch = 8;

void settle_by(const reply& answer, std::size_t index, batch_plan& plan) {
    plan.settle(index, answer.is_error() ? verdict_on(answer.text()) : verdict{delivered{std::string{answer.text()}}});
}

/// The transaction was not executed because of some of its commands: settles those that are refused.
void settle_objections(const outcome& aborted, const batch_plan::wave& wave, batch_plan& plan) {
    bool any = false;
    for (std::size_t i = 0; i < wave.size(); ++i) {
        if (!aborted.queued[i].is_error()) continue;
        auto v = verdict_on(aborted.queued[i].text());
        if (const auto* away = std::get_if<unreachable>(&v)) throw outage{away->reason};
        plan.settle(wave[i], std::move(v));
        any = true;
    }
    if (!any) throw outage{first_clause(aborted.result.text())};
}

std::uint64_t milliseconds_of(std::string_view entry) {
    const auto id = entry_id::parse(entry);
    return id ? id->milliseconds : 0;
}

duration since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration_cast<duration>(std::chrono::steady_clock::now() - begin);
}

guard::fields fence_fields(const producer& of) {
    return {{"epoch", std::to_string(of.epoch)},
            {"owner", of.owner},
            {"place", of.place},
            {"timeline", std::to_string(of.timeline)}};
}

/// Empty for what is no message of ours.
std::string message_id_in(std::string_view body) {
    try {
        return message::decode(body).id();
    } catch (const decode_error&) {
        return {};
    }
}

}  // namespace

std::vector<verdict> redis_publisher::publish(std::span<const outgoing> batch, const producer& from, duration timeout) {
    if (batch.empty()) return {};
    const net::deadline until{timeout, &haste_};
    rival_.reset();
    link_.drop_if_closed();
    batch_plan plan{batch, link_.at().options().max_message_bytes};
    wave_time_ = timeout / waves_for_a_slow_batch;
    if (!is_owner(from)) doubt_.clear();
    doubt_.begin_batch(from);
    try {
        do {
            prepare(from, until);
            for (const auto& stream : streams_) plan.vouch_for(stream);
            recall(plan, until);
        } while (!send_all(plan, until));
    } catch (const outage& trouble) {
        link_.drop();
        plan.give_up(unreachable{link_.named(trouble).what()});
    }
    return std::move(plan).verdicts();
}

bool redis_publisher::is_owner(const producer& who) const {
    return owner_.name == who.name && owner_.epoch == who.epoch;
}

std::string redis_publisher::probe(duration timeout) {
    const net::deadline until{timeout, &haste_};
    rival_.reset();
    try {
        const auto answer = link_.open(until).run(commands{}.add("PING"), until).at(0);
        if (answer.is_error() && !is_forbidden(answer.text())) throw outage{first_clause(answer.text())};
        if (!owner_.name.empty() && link_.at().fences()) {
            // A claim is a write: it finds out what a PING does not, such as a full memory or a demoted primary.
            footing_.reset();
            prepare(owner_, until);
        }
        return {};
    } catch (const outage& trouble) {
        link_.drop();
        return link_.named(trouble).what();
    }
}

bool redis_publisher::prepared_for(const producer& from) {
    return link_.current() != nullptr && footing_ && is_owner(from) && (*footing_ != footing::fenced || fence_->held());
}

void redis_publisher::prepare(const producer& from, const net::deadline& until) {
    if (prepared_for(from)) return;
    // What the old connection watches must not disturb what comes now.
    if (footing_ != footing::fenced || owner_.name != from.name) link_.drop();
    owner_ = from;
    doubt_.take_over({});
    looked_at_.clear();
    streams_.clear();
    footing_ = find_footing(until);
    if (link_.at().is_to_be_asked_for_hazards()) {
        link_.at().tell_hazards(hazards_of(ask_durability(link_.open(until), until)));
    }
}

redis_publisher::footing redis_publisher::find_footing(const net::deadline& until) {
    if (!owner_.name.empty() && link_.at().fences()) {
        try {
            claim(until);
            link_.at().note_fencing();
            return footing::fenced;
        } catch (const forbidden& no) {
            link_.at().give_up_fencing(no.what());
            link_.drop();
        }
    }
    const auto replies = link_.open(until).run(commands{}.add("MULTI").add("EXEC"), until);
    if (!replies[0].is_error()) return footing::atomic;
    if (is_forbidden(replies[0].text())) return footing::plain;
    throw outage{first_clause(replies[0].text())};
}

/// Becomes the one that publishes for the producer, and learns what was published last. A token per claim shuts out
/// whatever an earlier connection of the same owner still carries.
void redis_publisher::claim(const net::deadline& until) {
    auto& on = link_.open(until);
    const auto former = shut_out_former(on, until);
    fence_.emplace(lane_key(owner_.name));
    for (int i = 0; i < max_claims; ++i) {
        const auto there = fence_->look(on, until);
        if (auto last = read_fence(there); is_fenced(owner_, last)) {
            rival_ = std::move(last);
            throw outage{fenced_text(owner_, *rival_)};
        }
        doubt_.take_over(there);
        for (const auto& each : former) doubt_.look_into(each);
        if (fence_->take(on, base::uuid4(base::system_random()), fence_fields(owner_), {}, until)) {
            learn_time(on, until);
            return;
        }
    }
    throw outage{fmt::format("several publishers of lane {} with the same epoch take turns", owner_.name)};
}

/// Whoever still holds one of these loses it. Another successor may have been here; then this only looks.
std::vector<guard::fields> redis_publisher::shut_out_former(connection& on, const net::deadline& until) const {
    std::vector<guard::fields> left;
    for (const auto& name : owner_.former) {
        guard theirs{lane_key(name)};
        auto there = theirs.look(on, until);
        for (int i = 0; read_fence(there).epoch < owner_.epoch; ++i) {
            if (i == max_claims) throw outage{fmt::format("somebody still publishes for the former lane {}", name)};
            if (theirs.take(on, base::uuid4(base::system_random()), fence_fields(owner_), {}, until)) break;
            there = theirs.look(on, until);
        }
        left.push_back(std::move(there));
    }
    return left;
}

/// What is sent from now on cannot get an older entry. An account that may not ask learns it from its first entry.
void redis_publisher::learn_time(connection& on, const net::deadline& until) {
    const auto time = on.run(commands{}.add("TIME"), until).at(0);
    constexpr std::uint64_t per_second = 1'000;
    std::uint64_t seconds = 0;
    if (time.is_array() && time.size() == 2) {
        const auto text = time[0].text();
        std::from_chars(text.data(), text.data() + text.size(), seconds);
    }
    server_time_ = seconds * per_second;
}

/// Settles what is in the streams already.
void redis_publisher::recall(batch_plan& plan, const net::deadline& until) {
    for (const auto i : plan.open()) {
        const auto& message = plan.message(i);
        if (should_look_at(message.stream)) look_at_tail(message.stream, plan, until);
        if (auto entry = doubt_.recall(message)) {
            plan.settle(i, delivered{*std::move(entry)});
        } else if (const auto namesake = doubt_.namesake(message)) {
            tell_of_reused_id(message, *namesake);
        }
    }
}

bool redis_publisher::should_look_at(std::string_view stream) const {
    if (stream.empty() || looked_at_.contains(stream)) return false;
    // The journal is complete, but for the entries' ids: a transaction cannot write down what it is about to be given.
    return footing_ != footing::fenced || doubt_.misses_entries_of(stream);
}

/// No entry in doubt is older; 0: who knows.
std::uint64_t redis_publisher::oldest_in_doubt(std::string_view stream, const batch_plan& plan) const {
    if (footing_ == footing::fenced) return doubt_.oldest_of(stream);
    std::optional<date_time> oldest;
    for (const auto i : plan.open()) {
        const auto& message = plan.message(i);
        if (message.stream != stream) continue;
        if (!message.raised_at) return 0;
        oldest = std::min(oldest.value_or(*message.raised_at), *message.raised_at);
    }
    if (!oldest) return 0;
    constexpr std::int64_t micros_per_milli = 1'000;
    const auto milliseconds = (*oldest - clock_difference).micros() / micros_per_milli;
    return milliseconds > 0 ? static_cast<std::uint64_t>(milliseconds) : 0;
}

void redis_publisher::look_at_tail(std::string_view stream, const batch_plan& plan, const net::deadline& until) {
    looked_at_.emplace(stream);
    std::set<std::string_view> wanted;
    for (const auto i : plan.open()) {
        if (plan.message(i).stream == stream) wanted.insert(plan.message(i).message_id);
    }
    const auto oldest = oldest_in_doubt(stream, plan);
    const auto enough = net::deadline{until.left() / 2};  // the rest is for sending
    std::string end = "+";
    for (std::size_t seen = 0; seen < longest_tail && !enough.passed();) {
        const auto count = reading_.count(tail_page_size);
        const auto begin = std::chrono::steady_clock::now();
        commands look;
        look.begin(6).part("XREVRANGE").part(stream).part(end).part("-").part("COUNT").part(count);
        const auto entries = link_.open(until).run(look, until).at(0);
        if (entries.is_error()) {
            if (is_forbidden(entries.text())) return;
            if (std::holds_alternative<unreachable>(verdict_on(entries.text()))) {
                throw outage{first_clause(entries.text())};
            }
            doubt_.saw_all_of(stream);  // this is no stream: publishing will tell
            return;
        }
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < entries.size(); ++i) bytes += look_at_entry(stream, entries[i], wanted);
        reading_.got(entries.size(), bytes, since(begin));
        if (entries.size() < count) return doubt_.saw_all_of(stream);
        const auto last = entries[entries.size() - 1][0].text();
        if (milliseconds_of(last) < oldest) return;
        end = "(" + std::string{last};
        seen += entries.size();
    }
    if (footing_ != footing::fenced) {
        observe::log(observe::level::warn, "redis.tail_not_seen",
                     {{"server", link_.at().location().name()},
                      {"stream", std::string{stream}},
                      {"reason", "what an earlier connection left in doubt may lie deeper, and is then sent twice"},
                      {"remedy", "allow this account to fence (see redis.unfenced)"}});
    }
}

/// Returns its bytes.
std::size_t redis_publisher::look_at_entry(std::string_view stream, const reply& entry,
                                           const std::set<std::string_view>& wanted) {
    const auto body = entry[1].field(data_field);
    if (!body) return 0;
    const auto id = message_id_in(body->text());
    if (!id.empty() && (wanted.contains(id) || doubt_.names(stream, id))) {
        doubt_.seen(stream, id, body->text(), entry[0].text());
    }
    return body->text().size();
}

/// False when the way must be prepared again before the rest can be sent.
bool redis_publisher::send_all(batch_plan& plan, const net::deadline& until) {
    const auto how = footing_ == footing::plain ? sending::one_by_one : sending::as_one;
    duration last_took{0};
    for (;;) {
        const auto wave = plan.next(how, wave_.bytes());
        if (wave.empty()) return true;
        if (until.left() < last_took) {
            // What could not end in time would be in doubt, and all of it sent again.
            plan.give_up(unreachable{"the connection is too slow for the whole batch; the rest follows", true});
            return true;
        }
        const auto begin = std::chrono::steady_clock::now();
        try {
            if (!send(plan, wave, until)) return false;
        } catch (const outage&) {
            wave_.failed();
            throw;
        }
        last_took = since(begin);
        std::size_t bytes = 0;
        for (const auto i : wave) bytes += plan.message(i).body.size();
        wave_.moved(bytes, last_took, wave_time_);
    }
}

bool redis_publisher::send(batch_plan& plan, const batch_plan::wave& wave, const net::deadline& until) {
    try {
        if (*footing_ != footing::plain) return send_as_one(plan, wave, until);
        send_plainly(plan, wave, until);
        return true;
    } catch (const unacceptable_command& objection) {
        const auto v = verdict_on(objection.what());
        const auto* const no = std::get_if<refused>(&v);
        if (objection.index() >= wave.size() || no == nullptr || !no->permanent) throw;
        plan.settle(wave[objection.index()], v);
        link_.drop();  // the server closed it
        return false;
    }
}

void redis_publisher::add_wave(commands& to, const batch_plan& plan, const batch_plan::wave& wave) const {
    const auto maxlen = link_.at().options().maxlen;
    for (const auto i : wave) {
        const auto& message = plan.message(i);
        if (maxlen == 0) {
            to.add("XADD", message.stream, "*", data_field, message.body);
        } else {
            to.add("XADD", message.stream, "MAXLEN", "~", maxlen, "*", data_field, message.body);
        }
    }
}

bool redis_publisher::send_as_one(batch_plan& plan, const batch_plan::wave& wave, const net::deadline& until) {
    auto& on = link_.open(until);
    const bool fenced = *footing_ == footing::fenced;
    buffer_.clear();
    add_wave(buffer_.what(), plan, wave);
    journal_page page;
    if (fenced) {
        page = page_of(plan, wave);
        write_down(buffer_.what(), doubt_.to_store(page));
    }
    const auto result = fenced ? fence_->run(on, buffer_, until) : run_transaction(on, buffer_, until);
    if (result.lost()) return false;
    if (!result.done()) {
        settle_objections(result, wave, plan);
        return !fenced || fence_->held();
    }
    if (fenced) {
        doubt_.stored(page);
        correct_journal(std::move(page), result.result, until);
    }
    for (std::size_t i = 0; i < wave.size(); ++i) settle_by(result.result[i], wave[i], plan);
    note_streams(plan, wave, result.result);
    return !fenced || fence_->held();
}

journal_page redis_publisher::page_of(const batch_plan& plan, const batch_plan::wave& wave) const {
    auto page = doubt_.new_page();
    page.since = server_time_;
    page.items.reserve(wave.size());
    bool all_placed = true;
    for (const auto i : wave) {
        const auto& message = plan.message(i);
        page.items.push_back({.stream = std::string{message.stream},
                              .message_id = std::string{message.message_id},
                              .fingerprint = base::fingerprint(message.body)});
        page.position = std::max(page.position, message.position);
        all_placed = all_placed && message.position != 0;
    }
    if (!all_placed) page.position = 0;
    return page;
}

void redis_publisher::write_down(commands& to, const doubt::changes& what) const {
    to.begin(2 + 2 * what.size()).part("HSET").part(fence_->key());
    for (const auto& [field, text] : what) to.part(field).part(text);
}

/// A key that is no stream takes no message, which does not stop the rest of a transaction.
void redis_publisher::correct_journal(journal_page page, const reply& results, const net::deadline& until) {
    std::size_t taken = 0;
    for (std::size_t i = 0; i < page.items.size(); ++i) {
        if (results[i].is_error()) continue;
        if (taken != i) page.items[taken] = std::move(page.items[i]);
        ++taken;
    }
    if (taken == page.items.size() || !fence_->held()) return;
    page.items.resize(taken);
    transaction correction;
    write_down(correction.what(), doubt_.to_correct(page));
    static_cast<void>(fence_->run(link_.open(until), correction, until));
}

/// What took a message is a stream; the last entry's id tells the server's time. Neighbours mostly share a stream.
void redis_publisher::note_streams(const batch_plan& plan, const batch_plan::wave& wave, const reply& results) {
    std::string_view known;
    std::string_view last;
    for (std::size_t i = 0; i < wave.size(); ++i) {
        const auto stream = plan.message(wave[i]).stream;
        const auto& entry = results[i];
        if (entry.is_error()) {
            if (const auto no_stream = streams_.find(stream); no_stream != streams_.end()) streams_.erase(no_stream);
            known = {};
            continue;
        }
        last = entry.text();
        if (stream == known) continue;
        known = stream;
        if (!streams_.contains(stream)) streams_.emplace(stream);
    }
    server_time_ = std::max(server_time_, milliseconds_of(last));
}

void redis_publisher::send_plainly(batch_plan& plan, const batch_plan::wave& wave, const net::deadline& until) {
    commands all;
    add_wave(all, plan, wave);
    const auto replies = link_.open(until).run(all, until);
    for (std::size_t i = 0; i < wave.size(); ++i) settle_by(replies[i], wave[i], plan);
    for (const auto& each : replies) {
        if (!each.is_error()) continue;
        const auto v = verdict_on(each.text());
        if (const auto* away = std::get_if<unreachable>(&v)) throw outage{away->reason};
    }
}

}  // namespace sluice::broker::redis
