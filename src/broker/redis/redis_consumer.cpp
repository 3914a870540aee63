#include "broker/redis/redis_consumer.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "broker/redis/dead_letter_text.hpp"
#include "broker/redis/error_reply.hpp"
#include "broker/redis/keys.hpp"
#include "broker/redis/number_text.hpp"
#include "observe/log.hpp"

namespace sluice::broker::redis {
namespace {

constexpr std::string_view replay_prefix = "replay/";
constexpr int max_joins = 3;
constexpr int reclaim_page = 1000;
/// Other software's consumers that were idle for so many claim times and hold nothing leave the group.
constexpr int claims_until_clean_up = 10;

/// KEYS[1]: the stream. ARGV: group, our own name, milliseconds. A script, because no consumer may read between the
/// look and the removal: what it read would be lost.
constexpr std::string_view remove_idle_names_script = R"lua(
local removed = {}
for _, each in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
    local found = {}
    for i = 1, #each, 2 do found[each[i]] = each[i + 1] end
    if found.name ~= ARGV[2] and found.pending == 0 and found.idle > tonumber(ARGV[3]) then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], found.name)
        removed[#removed + 1] = found.name
    end
end
return removed
)lua";

bool says(const reply& answer, std::string_view code) { return answer.is_error() && error_code(answer.text()) == code; }

/// What stands for an entry that nobody of us or of Protean wrote; it is no JSON, so that it ends as a dead letter.
std::string description_of(const std::string& entry, const reply& fields) {
    auto text = fmt::format("entry {} has no field \"{}\":", entry, data_field);
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
        text += fmt::format(" {}={}", fields[i].text(), fields[i + 1].text());
    }
    return text;
}

}  // namespace

std::string redis_consumer::position::text() const {
    return from == origin::replay ? std::string{replay_prefix} + id.text() : id.text();
}

redis_consumer::position redis_consumer::position::parse(std::string_view text) {
    position result;
    auto rest = text;
    if (rest.starts_with(replay_prefix)) {
        result.from = origin::replay;
        rest.remove_prefix(replay_prefix.size());
    }
    const auto id = entry_id::parse(rest);
    if (!id) {
        throw usage_error{"'" + std::string{text} + "' is no entry of a redis broker; pass what read() returned"};
    }
    result.id = *id;
    return result;
}

redis_consumer::redis_consumer(std::shared_ptr<server> at, const std::string& stream, const membership& member)
    : seat_{std::move(at), stream, member, {replay_key(stream, member.group), stream}},
      attempts_key_{attempts_key(stream, member.group)},
      sources_{source{.from = origin::replay, .key = replay_key(stream, member.group)},
               source{.from = origin::stream, .key = stream}} {}

/// Runs an action with the time that one call may take, and lets go of the connection when it proves bad.
template <class Action>
auto redis_consumer::guarded(Action action) {
    if (seat_.link().drop_if_closed()) disconnect();
    try {
        return action(seat_.link().answer_deadline());
    } catch (const outage& trouble) {
        reading_.failed();  // perhaps the entries were too many or too large for the link
        disconnect();
        throw seat_.link().named(trouble);
    }
}

void redis_consumer::disconnect() noexcept {
    seat_.disconnect();
    backlog_.clear();
}

std::vector<delivery> redis_consumer::read(std::size_t limit, date_time now) {
    local_ = {.time = now};
    if (limit == 0) return {};
    return guarded([&](const net::deadline& until) -> std::vector<delivery> {
        for (int i = 0; i < max_joins; ++i) {
            if (!seat_.held() && !join(until)) return {};
            if (gather(limit, until)) return hand_out(limit);
            seat_.let_go();
        }
        return {};
    });
}

bool redis_consumer::join(const net::deadline& until) {
    if (!seat_.take(until)) return false;
    start_over(until);
    return true;
}

void redis_consumer::start_over(const net::deadline& until) {
    read_pending_again();
    next_reclaim_ = {};
    for (auto& each : sources_) each.seen = entry_id{};
    const auto groups = seat_.link().open(until).call(commands{}.add("XINFO", "GROUPS", seat_.stream()), until);
    for (std::size_t i = 0; i < groups.size(); ++i) {
        const auto name = groups[i].field("name");
        const auto last = groups[i].field("last-delivered-id");
        if (!name || !last || name->text() != seat_.member().group) continue;
        of(origin::stream).seen = entry_id::parse(last->text()).value_or(entry_id{});
    }
    load_attempts(until);
}

void redis_consumer::read_pending_again() {
    backlog_.clear();
    for (auto& each : sources_) each.resume = entry_id{};
}

/// The times are kept by the server's clock.
void redis_consumer::load_attempts(const net::deadline& until) {
    attempts_.clear();
    const auto hash = seat_.link().open(until).call(commands{}.add("HGETALL", attempts_key_), until);
    for (std::size_t i = 0; i + 1 < hash.size(); i += 2) {
        const auto record = hash[i + 1].text();
        const auto separator = std::min(record.find(' '), record.size());
        const auto due = date_time::from_micros(number_or_zero(record.substr(std::min(separator + 1, record.size()))));
        attempts_[std::string{hash[i].text()}] = {
            .attempts = static_cast<int>(number_or_zero(record.substr(0, separator))),
            .not_before = local_now() + (due - seat_.server_now())};
    }
}

date_time redis_consumer::local_now() const { return local_ ? local_->now() : seat_.link().at().now(); }

/// Fills the backlog for one read: first what is pending with us, then what is new. False: the lease was lost.
bool redis_consumer::gather(std::size_t limit, const net::deadline& until) {
    if (monotonic::now() >= next_reclaim_ && !reclaim()) return false;
    for (auto& each : sources_) {
        while (each.resume && backlog_.size() < limit && may_go_on(until)) {
            if (!recover(each, limit, until)) return false;
        }
    }
    const bool found = read_new(limit, until);
    if (found && !vanished_.empty()) drop_vanished(until);
    return found;
}

/// What was read is worth more than what could be read in the same call.
bool redis_consumer::may_go_on(const net::deadline& until) const {
    if (backlog_.empty()) return true;
    std::size_t bytes = 0;
    for (const auto& each : backlog_) bytes += each.body.size();
    return reading_.may_go_on(bytes) && until.left() > 3 * seat_.link().at().options().answer_timeout;
}

std::optional<reply> redis_consumer::run(const commands& what, const net::deadline& until) {
    const auto begin = monotonic::now();
    auto result = seat_.run(what, until);
    took_ = std::chrono::duration_cast<duration>(monotonic::now() - begin);
    return result;
}

bool redis_consumer::recover(source& from, std::size_t limit, const net::deadline& until) {
    auto what = seat_.renewal();
    add_reading(what, from, limit, from.resume->text());
    const auto result = run(what, until);
    if (!result) return false;
    const auto answer = (*result)[1];
    auto entries = entries_in(answer, from);
    if (!entries && from.from == origin::stream) return false;
    if (!entries || answer.size() == 0 || answer[0][1].size() == 0) {
        from.resume.reset();
        return true;
    }
    const auto page = answer[0][1];
    from.resume = entry_id::parse(page[page.size() - 1][0].text());
    from.seen = std::max(from.seen, from.resume.value_or(entry_id{}));
    for (auto& each : *entries) {
        if (!held_.contains(each.at)) backlog_.push_back(std::move(each));  // else it would count towards the limit
    }
    return true;
}

bool redis_consumer::read_new(std::size_t limit, const net::deadline& until) {
    auto& main = of(origin::stream);
    const bool recovered = !main.resume && !of(origin::replay).resume;
    const auto wanted = recovered && backlog_.size() < limit ? limit - backlog_.size() : 0;

    auto what = seat_.renewal();
    what.add("XLEN", of(origin::replay).key);
    if (wanted != 0) add_reading(what, main, wanted, ">");
    const auto asked_for = reading_.count(std::max<std::size_t>(wanted, 1));
    bool more = false;
    const auto result = run(what, until);
    if (!result) return false;

    if (wanted != 0) {
        auto entries = entries_in((*result)[2], main);
        if (!entries) return false;  // the group is gone: joining makes it anew
        if (entries->empty()) {
            main.seen = std::max(main.seen, main.heard);  // another consumer of the group was given it
        } else {
            main.seen = std::max(main.seen, entries->back().at.id);
        }
        more = entries->size() >= asked_for;
        for (auto& each : *entries) backlog_.push_back(std::move(each));
    }
    const auto replays = static_cast<std::size_t>((*result)[1].integer());
    if (replays > replays_in_hand()) return read_replayed(limit, until);
    of(origin::replay).seen = std::max(of(origin::replay).seen, of(origin::replay).heard);
    return !more || read_on(limit, until);
}

/// The first step asked for as many as surely go in one, which may be fewer than there is room for.
bool redis_consumer::read_on(std::size_t limit, const net::deadline& until) {
    auto& main = of(origin::stream);
    while (backlog_.size() < limit && may_go_on(until)) {
        const auto wanted = limit - backlog_.size();
        const auto asked_for = reading_.count(wanted);
        auto what = seat_.renewal();
        add_reading(what, main, wanted, ">");
        const auto result = run(what, until);
        if (!result) return false;
        auto entries = entries_in((*result)[1], main);
        if (!entries) return false;
        if (!entries->empty()) main.seen = std::max(main.seen, entries->back().at.id);
        const bool all = entries->size() < asked_for;
        for (auto& each : *entries) backlog_.push_back(std::move(each));
        if (all) return true;
    }
    return true;
}

/// Replayed messages are older than anything else, so they come first.
bool redis_consumer::read_replayed(std::size_t limit, const net::deadline& until) {
    auto& from = of(origin::replay);
    commands what;
    add_reading(what, from, limit, ">");
    const auto result = run(what, until);
    if (!result) return false;
    const auto entries = entries_in((*result)[0], from);
    if (!entries) {
        const auto made =
            run(commands{}.add("XGROUP", "CREATE", from.key, seat_.member().group, "0", "MKSTREAM"), until);
        return made.has_value();  // the next read finds them
    }
    if (!entries->empty()) from.seen = std::max(from.seen, entries->back().at.id);
    backlog_.insert(backlog_.begin(), entries->begin(), entries->end());
    return true;
}

void redis_consumer::add_reading(commands& into, const source& from, std::size_t limit,
                                 const std::string& after) const {
    into.begin(9).part("XREADGROUP").part("GROUP").part(seat_.member().group).part(seat_.member().consumer);
    into.part("COUNT").part(reading_.count(limit)).part("STREAMS").part(from.key).part(after);
}

std::optional<std::vector<redis_consumer::fetched>> redis_consumer::entries_in(const reply& answer,
                                                                               const source& from) {
    if (says(answer, "NOGROUP")) return std::nullopt;
    if (answer.is_error()) throw outage{first_clause(answer.text())};
    if (answer.size() == 0) return std::vector<fetched>{};
    return parse_entries(answer[0][1], from);
}

std::vector<redis_consumer::fetched> redis_consumer::parse_entries(const reply& entries, const source& from) {
    std::vector<fetched> result;
    result.reserve(entries.size());
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (entries[i].is_nil()) continue;
        const auto id = entry_id::parse(entries[i][0].text());
        if (!id) throw outage{"the server does not answer as Redis does: expected the id of an entry"};
        const position at{from.from, *id};
        const auto fields = entries[i][1];
        if (fields.is_nil()) {
            vanished_.push_back(at);
            continue;
        }
        const auto data = fields.field(data_field);
        const auto original = fields.field(original_field);
        result.push_back({.at = at,
                          .original = original ? std::string{original->text()} : id->text(),
                          .body = data ? std::string{data->text()} : description_of(at.text(), fields)});
        bytes += result.back().body.size();
    }
    reading_.got(result.size(), bytes, took_);
    return result;
}

/// Claims what other software's consumers left lying, to the last entry, so that nothing new is read before it. Our own
/// pending entries are among the answers. False: the lease was lost, or the group is gone.
bool redis_consumer::reclaim() {
    const auto& main = of(origin::stream);
    const auto claim = std::chrono::duration_cast<std::chrono::milliseconds>(seat_.member().claim).count();
    seat_.ask_server_time(seat_.link().answer_deadline());
    std::string cursor = "0-0";
    bool found = false;
    do {
        auto what = seat_.renewal();
        what.begin(9)
            .part("XAUTOCLAIM")
            .part(main.key)
            .part(seat_.member().group)
            .part(seat_.member().consumer)
            .part(claim);
        what.part(cursor).part("COUNT").part(reclaim_page).part("JUSTID");
        what.add("SADD", streams_key, seat_.stream());  // a server that forgets may have lost it
        const auto result = run(what, seat_.link().answer_deadline());
        if (!result) return false;
        const auto answer = (*result)[1];
        if (says(answer, "NOGROUP")) return false;
        if (answer.is_error()) throw outage{first_clause(answer.text())};
        cursor = answer[0].text();
        for (std::size_t i = 0; i < answer[1].size(); ++i) {
            const auto id = entry_id::parse(answer[1][i].text());
            if (id && !is_known({origin::stream, *id})) found = true;
        }
        if (answer.size() > 2 && answer[2].size() != 0) {  // Redis 7 has let go of them
            seat_.tell_trimmed(answer[2].size(), std::string{answer[2][0].text()});
        }
    } while (cursor != "0-0");
    if (found) read_pending_again();
    next_reclaim_ = monotonic::now() + seat_.member().claim / 2;
    if (monotonic::now() >= next_clean_up_) remove_idle_names(seat_.link().answer_deadline());
    return true;
}

/// Handed out, about to be, or still to be read.
bool redis_consumer::is_known(const position& at) const {
    const auto& resume = of(at.from).resume;
    return held_.contains(at) || (resume && at.id > *resume) ||
           std::ranges::any_of(backlog_, [&](const fetched& waiting) { return waiting.at == at; });
}

/// An account that may run no scripts does without: the names cost memory only.
void redis_consumer::remove_idle_names(const net::deadline& until) {
    const auto idle =
        std::chrono::duration_cast<std::chrono::milliseconds>(claims_until_clean_up * seat_.member().claim);
    commands what;
    what.begin(7).part("EVAL").part(remove_idle_names_script).part(1).part(of(origin::stream).key);
    what.part(seat_.member().group).part(seat_.member().consumer).part(idle.count());
    const auto answer = seat_.link().open(until).run(what, until).at(0);
    next_clean_up_ = monotonic::now() + claims_until_clean_up * seat_.member().claim;
    if (answer.is_error()) return;
    for (std::size_t i = 0; i < answer.size(); ++i) {
        observe::log(
            observe::level::info, "redis.consumer_removed",
            {{"stream", seat_.stream()}, {"group", seat_.member().group}, {"consumer", std::string{answer[i].text()}}});
    }
}

void redis_consumer::drop_vanished(const net::deadline& until) {
    seat_.tell_trimmed(vanished_.size(), vanished_.front().text());
    static_cast<void>(run(settling(vanished_), until));
    vanished_.clear();
}

std::size_t redis_consumer::replays_in_hand() const {
    const auto held = std::ranges::count_if(held_, [](const auto& e) { return e.first.from == origin::replay; });
    const auto waiting = std::ranges::count_if(backlog_, [](const auto& e) { return e.at.from == origin::replay; });
    return static_cast<std::size_t>(held + waiting);
}

std::vector<delivery> redis_consumer::hand_out(std::size_t limit) {
    std::vector<delivery> result;
    while (!backlog_.empty() && result.size() < limit) {
        auto next = std::move(backlog_.front());
        backlog_.pop_front();
        if (held_.contains(next.at)) continue;  // a group that was made anew gives everything again
        delivery made{.entry = next.at.text(), .stream = seat_.stream(), .body = std::move(next.body), .key = {}};
        if (const auto record = attempts_.find(made.entry); record != attempts_.end()) {
            made.attempts = record->second.attempts;
            made.not_before = record->second.not_before;
        }
        held_.emplace(next.at, std::move(next.original));
        result.push_back(std::move(made));
    }
    return result;
}

std::array<bell::place, 2> redis_consumer::places() const {
    return {bell::place{sources_[0].key, sources_[0].seen}, bell::place{sources_[1].key, sources_[1].seen}};
}

void redis_consumer::heard(std::span<const bell::place> rung) {
    for (std::size_t i = 0; i < sources_.size(); ++i) sources_[i].heard = rung[i].seen;
}

void redis_consumer::heartbeat(date_time now) {
    local_ = {.time = now};
    if (held_.empty()) return;
    guarded([&](const net::deadline& until) {
        if (!seat_.held()) {
            static_cast<void>(join(until));
        } else if (!run(seat_.renewal(), until)) {
            backlog_.clear();  // the next read finds out who has them
        }
    });
}

void redis_consumer::release() {
    if (!seat_.held()) return;
    guarded([&](const net::deadline& until) {
        seat_.leave(until);
        backlog_.clear();
    });
}

/// Runs a transaction as the reader of the group. False when somebody else is that now, and nothing was done.
bool redis_consumer::settle(const commands& what) {
    return guarded([&](const net::deadline& until) {
        for (int i = 0; i < max_joins; ++i) {
            if (!seat_.held() && !join(until)) return false;
            if (run(what, until)) return true;
        }
        return false;
    });
}

commands redis_consumer::settling(const std::vector<position>& entries) const {
    commands what;
    for (const auto& from : sources_) {
        std::vector<std::string> ids;
        for (const auto& each : entries) {
            if (each.from == from.from) ids.push_back(each.id.text());
        }
        if (ids.empty()) continue;
        what.begin(3 + ids.size()).part("XACK").part(from.key).part(seat_.member().group);
        for (const auto& id : ids) what.part(id);
        if (from.from == origin::stream) continue;
        what.begin(2 + ids.size()).part("XDEL").part(from.key);  // nobody else reads it
        for (const auto& id : ids) what.part(id);
    }
    what.begin(2 + entries.size()).part("HDEL").part(attempts_key_);
    for (const auto& each : entries) what.part(each.text());
    return what;
}

void redis_consumer::ack(std::span<const std::string> entries) {
    std::vector<position> done;
    done.reserve(entries.size());
    for (const auto& each : entries) done.push_back(position::parse(each));
    if (done.empty()) return;
    static_cast<void>(settle(settling(done)));
    for (const auto& each : done) {
        held_.erase(each);
        attempts_.erase(each.text());
    }
}

void redis_consumer::defer(std::string_view entry, int attempts, date_time not_before) {
    const auto at = position::parse(entry);
    if (!held_.contains(at)) return;
    const auto due = seat_.server_now() + (not_before - local_now());
    const auto record = fmt::format("{} {}", attempts, due.micros());
    if (settle(commands{}.add("HSET", attempts_key_, at.text(), record))) {
        attempts_[at.text()] = {.attempts = attempts, .not_before = not_before};
    }
}

void redis_consumer::dead_letter(const delivery& message, const death& why) {
    const auto at = position::parse(message.entry);
    const auto held = held_.find(at);
    if (held == held_.end()) return;
    const auto grave = dead_letter_key(seat_.stream());
    guarded([&](const net::deadline& until) {
        // A transaction goes on behind a command that fails: it would acknowledge what nobody kept.
        const auto type = seat_.link().open(until).call(commands{}.add("TYPE", grave), until);
        if (type.text() != "stream" && type.text() != "none") {
            throw outage{fmt::format("{} is a {} and takes no dead letters; rename it", grave, type.text())};
        }
    });
    const auto text = dead_letter_text(message, held->second, seat_.member(), why, seat_.link().at().now());
    commands what;
    if (const auto maxlen = seat_.link().at().options().dead_letter_maxlen; maxlen != 0) {
        what.add("XADD", grave, "MAXLEN", "~", maxlen, "*", data_field, text);
    } else {
        what.add("XADD", grave, "*", data_field, text);
    }
    what.append(settling({at}));
    static_cast<void>(settle(what));
    held_.erase(at);
    attempts_.erase(at.text());
}

}  // namespace sluice::broker::redis
