#include "broker/redis/redis_consumer.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/ids.hpp"
#include "broker/redis/dead_letter_text.hpp"
#include "broker/redis/error_reply.hpp"
#include "broker/redis/keys.hpp"
#include "observe/log.hpp"

namespace sluice::broker::redis {
namespace {

constexpr std::string_view replay_prefix = "replay/";
constexpr int max_joins = 3;
constexpr int claim_page = 1000;
/// Other software's consumers that were idle for so many claim times and hold nothing leave the group.
constexpr int claims_until_clean_up = 10;
constexpr std::chrono::minutes namesake_memory{1};

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

std::int64_t number_or_zero(std::string_view text) {
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

std::string_view field_or_empty(const guard::fields& hash, std::string_view name) {
    const auto found = hash.find(name);
    return found == hash.end() ? std::string_view{} : std::string_view{found->second};
}

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

redis_consumer::redis_consumer(std::shared_ptr<server> at, std::string stream, membership member)
    : link_{std::move(at), "sluice-consumer"},
      stream_{std::move(stream)},
      member_{std::move(member)},
      attempts_key_{attempts_key(stream_, member_.group)},
      lease_{group_key(stream_, member_.group), guard::when_full::go_on},
      sources_{source{.from = origin::replay, .key = replay_key(stream_, member_.group)},
               source{.from = origin::stream, .key = stream_}} {}

redis_consumer::~redis_consumer() {
    auto* const on = link_.current();
    if (on == nullptr || !lease_.held()) return;
    // Under the WATCH like everything else: if the lease is not ours any more, nothing happens. The holder stays named,
    // because the next one inherits what it has pending.
    commands farewell;
    farewell.add("MULTI").add("HSET", lease_.key(), "token", "", "alive_until", "0").add("EXEC");
    on->send_and_forget(farewell);
}

/// Runs an action with the time that one call may take, and lets go of the connection when it proves bad.
template <class Action>
auto redis_consumer::guarded(Action action) {
    if (link_.drop_if_closed()) disconnect();
    try {
        return action(link_.answer_deadline());
    } catch (const outage& trouble) {
        reading_.failed();  // perhaps the entries were too many or too large for the link
        disconnect();
        throw link_.named(trouble);
    }
}

void redis_consumer::disconnect() noexcept {
    link_.drop();
    lease_.let_go();
    backlog_.clear();
}

std::vector<delivery> redis_consumer::read(std::size_t limit, date_time now) {
    local_ = {now, monotonic::now()};
    if (limit == 0) return {};
    return guarded([&](const net::deadline& until) -> std::vector<delivery> {
        for (int i = 0; i < max_joins; ++i) {
            if (!lease_.held() && !join(until)) return {};
            if (gather(limit, until)) return hand_out(limit);
            lease_.let_go();
        }
        return {};
    });
}

/// The entry behind which a new group begins: before what its former name has not acknowledged, else behind what that
/// one was given. The former group stays, since processes of an earlier build may still read with it; what both handle
/// the inbox knows.
std::string redis_consumer::beginning(const net::deadline& until) {
    if (member_.former_group.empty()) return "0";
    const auto groups = link_.open(until).run(commands{}.add("XINFO", "GROUPS", stream_), until).at(0);
    if (!groups.is_array()) return "0";  // no such stream yet
    std::string begin = "0";
    for (std::size_t i = 0; i < groups.size(); ++i) {
        const auto name = groups[i].field("name");
        const auto given = groups[i].field("last-delivered-id");
        if (name && given && name->text() == member_.former_group) begin = given->text();
    }
    if (begin == "0") return begin;
    const auto pending = link_.open(until).run(commands{}.add("XPENDING", stream_, member_.former_group), until).at(0);
    if (!pending.is_array() || pending.size() < 2 || !pending[1].is_text()) return begin;
    const auto oldest = entry_id::parse(pending[1].text());
    return oldest ? oldest->before().text() : begin;
}

/// Takes the lease when it is free, ours, or its holder was silent for too long. False: somebody else reads.
bool redis_consumer::join(const net::deadline& until) {
    auto& on = link_.open(until);
    for (int i = 0; i < max_joins; ++i) {
        const auto there = lease_.look(on, until);
        ask_server_time(until);
        if (!may_take(there, until)) return false;

        const std::string former{field_or_empty(there, "holder")};
        commands more;
        more.add("SADD", streams_key, stream_);
        more.add("SADD", readers_key(stream_, member_.group), member_.consumer,
                 former.empty() ? member_.consumer : former);
        // An error when it is there.
        const std::string place = joined_ || member_.from == start::beginning ? beginning(until) : place_of_new_group();
        more.add("XGROUP", "CREATE", stream_, member_.group, place, "MKSTREAM");
        const guard::fields ours{{"holder", member_.consumer},
                                 {"domain", member_.domain},
                                 {"incarnation", member_.process.id},
                                 {"place", member_.process.place},
                                 {"claim", std::to_string(member_.claim.count())},
                                 {"alive_until", std::to_string((server_now() + member_.claim).micros())}};
        if (!lease_.take(on, base::uuid4(base::system_random()), ours, more, until)) continue;
        joined_ = true;
        other_.reset();
        if (!take_over()) continue;
        start_over(until);
        return true;
    }
    return false;
}

bool redis_consumer::may_take(const guard::fields& lease, const net::deadline& until) {
    const auto holder = field_or_empty(lease, "holder");
    if (holder.empty() || field_or_empty(lease, "token").empty()) return true;
    const incarnation theirs{std::string{field_or_empty(lease, "incarnation")},
                             std::string{field_or_empty(lease, "place")}};
    const auto kin = kinship_of(member_, holder, theirs);
    if (kin == kinship::self || kin == kinship::predecessor) return true;
    if (!lives(lease)) return true;
    if (kin == kinship::namesake && !theirs.id.empty()) tell_of_namesake(until);
    return false;
}

bool redis_consumer::lives(const guard::fields& lease) {
    const auto alive_until = field_or_empty(lease, "alive_until");
    if (server_now().micros() >= number_or_zero(alive_until)) return false;
    // A time far ahead may come from before the server's clock was set back.
    auto seen = fmt::format("{} {}", field_or_empty(lease, "token"), alive_until);
    if (!other_ || other_->lease != seen) other_ = {std::move(seen), monotonic::now()};
    const duration their_claim{number_or_zero(field_or_empty(lease, "claim"))};
    return monotonic::now() - other_->since <= std::max(their_claim, member_.claim);
}

/// Operators see it in `status` as long as it is so.
void redis_consumer::tell_of_namesake(const net::deadline& until) {
    if (!std::exchange(told_of_namesake_, true)) sluice::broker::tell_namesake(member_, stream_);
    const auto memory = std::max<duration>(namesake_memory, 2 * member_.claim);
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(memory).count();
    commands mark;
    mark.add("SET", namesake_key(stream_, member_.group), member_.consumer, "PX", milliseconds);
    static_cast<void>(link_.open(until).run(mark, until));  // a full server has no room for it
}

/// What former readers have pending becomes ours, all of it before anything new is read. False: the lease was lost.
bool redis_consumer::take_over() {
    const auto readers = readers_key(stream_, member_.group);
    const auto until = link_.answer_deadline();
    const auto names = link_.open(until).call(commands{}.add("SMEMBERS", readers), until);
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string former{names[i].text()};
        if (former == member_.consumer) continue;
        for (const auto& from : sources_) {
            if (!inherit(from, former)) return false;
        }
        // Whoever has the name reads under the lease only, so nothing came since.
        commands forget;
        for (const auto& from : sources_) forget.add("XGROUP", "DELCONSUMER", from.key, member_.group, former);
        forget.add("SREM", readers, former);
        if (!run(forget, link_.answer_deadline())) return false;
    }
    return lease_.held();
}

bool redis_consumer::inherit(const source& from, const std::string& former) {
    std::string begin = "-";
    for (;;) {
        const auto until = link_.answer_deadline();
        commands look;
        look.begin(7).part("XPENDING").part(from.key).part(member_.group);
        look.part(begin).part("+").part(claim_page).part(former);
        const auto pending = link_.open(until).run(look, until).at(0);
        if (pending.is_error() || pending.size() == 0) return true;  // an error: no such group
        auto what = renewal();
        what.begin(6 + pending.size()).part("XCLAIM").part(from.key).part(member_.group).part(member_.consumer);
        what.part("0");
        for (std::size_t i = 0; i < pending.size(); ++i) what.part(pending[i][0].text());
        what.part("JUSTID");
        const auto result = run(what, until);
        if (!result) return false;
        const auto claimed = (*result)[1];
        if (claimed.is_error()) throw outage{first_clause(claimed.text())};
        if (claimed.size() < pending.size()) {
            tell_trimmed(pending.size() - claimed.size(), std::string{pending[0][0].text()});
        }
        begin = "(" + std::string{pending[pending.size() - 1][0].text()};
    }
}

std::string redis_consumer::place_of_new_group() const {
    if (joined_) return "0";  // what was passed over once may have been sent again meanwhile
    switch (member_.from.where()) {
        case start::kind::now:
            return "$";
        case start::kind::time: {
            const auto milliseconds = member_.from.first().micros() / 1000;
            return milliseconds <= 0 ? "0" : entry_id::last_of(milliseconds - 1).text();
        }
        case start::kind::beginning:
            break;
    }
    return "0";
}

void redis_consumer::start_over(const net::deadline& until) {
    read_pending_again();
    next_reclaim_ = {};
    for (auto& each : sources_) each.seen = entry_id{};
    const auto groups = link_.open(until).call(commands{}.add("XINFO", "GROUPS", stream_), until);
    for (std::size_t i = 0; i < groups.size(); ++i) {
        const auto name = groups[i].field("name");
        const auto last = groups[i].field("last-delivered-id");
        if (!name || !last || name->text() != member_.group) continue;
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
    const auto hash = link_.open(until).call(commands{}.add("HGETALL", attempts_key_), until);
    for (std::size_t i = 0; i + 1 < hash.size(); i += 2) {
        const auto record = hash[i + 1].text();
        const auto separator = std::min(record.find(' '), record.size());
        const auto due = date_time::from_micros(number_or_zero(record.substr(std::min(separator + 1, record.size()))));
        attempts_[std::string{hash[i].text()}] = {
            .attempts = static_cast<int>(number_or_zero(record.substr(0, separator))),
            .not_before = local_now() + (due - server_now())};
    }
}

void redis_consumer::ask_server_time(const net::deadline& until) {
    if (link_.at().options().server_time != nullptr) return;
    const auto told = link_.open(until).call(commands{}.add("TIME"), until);
    constexpr std::int64_t micros_per_second = 1'000'000;
    const auto micros = number_or_zero(told[0].text()) * micros_per_second + number_or_zero(told[1].text());
    server_ = {date_time::from_micros(micros), monotonic::now()};
}

date_time redis_consumer::server_now() const {
    if (const auto* given = link_.at().options().server_time) return given->now();
    return server_ ? server_->now() : link_.at().now();
}

date_time redis_consumer::local_now() const { return local_ ? local_->now() : link_.at().now(); }

commands redis_consumer::renewal() const {
    commands what;
    what.begin(4).part("HSET").part(lease_.key()).part("alive_until").part((server_now() + member_.claim).micros());
    return what;
}

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
    return reading_.may_go_on(bytes) && until.left() > 3 * link_.at().options().answer_timeout;
}

/// Runs a transaction under the lease. Nothing when the lease was lost.
std::optional<reply> redis_consumer::run(const commands& what, const net::deadline& until) {
    transaction all{what};
    const auto begin = std::chrono::steady_clock::now();
    const auto result = lease_.run(link_.open(until), all, until);
    took_ = std::chrono::duration_cast<duration>(std::chrono::steady_clock::now() - begin);
    if (result.lost()) return std::nullopt;
    if (result.done()) return result.result;
    for (const auto& each : result.queued) {
        if (each.is_error()) throw outage{first_clause(each.text())};
    }
    throw outage{first_clause(result.result.text())};
}

bool redis_consumer::recover(source& from, std::size_t limit, const net::deadline& until) {
    auto what = renewal();
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

    auto what = renewal();
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
        auto what = renewal();
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
        const auto made = run(commands{}.add("XGROUP", "CREATE", from.key, member_.group, "0", "MKSTREAM"), until);
        return made.has_value();  // the next read finds them
    }
    if (!entries->empty()) from.seen = std::max(from.seen, entries->back().at.id);
    backlog_.insert(backlog_.begin(), entries->begin(), entries->end());
    return true;
}

void redis_consumer::add_reading(commands& into, const source& from, std::size_t limit,
                                 const std::string& after) const {
    into.begin(9).part("XREADGROUP").part("GROUP").part(member_.group).part(member_.consumer);
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
    const auto claim = std::chrono::duration_cast<std::chrono::milliseconds>(member_.claim).count();
    ask_server_time(link_.answer_deadline());
    std::string cursor = "0-0";
    bool found = false;
    do {
        auto what = renewal();
        what.begin(9).part("XAUTOCLAIM").part(main.key).part(member_.group).part(member_.consumer).part(claim);
        what.part(cursor).part("COUNT").part(claim_page).part("JUSTID");
        what.add("SADD", streams_key, stream_);  // a server that forgets may have lost it
        const auto result = run(what, link_.answer_deadline());
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
            tell_trimmed(answer[2].size(), std::string{answer[2][0].text()});
        }
    } while (cursor != "0-0");
    if (found) read_pending_again();
    next_reclaim_ = monotonic::now() + member_.claim / 2;
    if (monotonic::now() >= next_clean_up_) remove_idle_names(link_.answer_deadline());
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
    const auto idle = std::chrono::duration_cast<std::chrono::milliseconds>(claims_until_clean_up * member_.claim);
    commands what;
    what.begin(7).part("EVAL").part(remove_idle_names_script).part(1).part(of(origin::stream).key);
    what.part(member_.group).part(member_.consumer).part(idle.count());
    const auto answer = link_.open(until).run(what, until).at(0);
    next_clean_up_ = monotonic::now() + claims_until_clean_up * member_.claim;
    if (answer.is_error()) return;
    for (std::size_t i = 0; i < answer.size(); ++i) {
        observe::log(observe::level::info, "redis.consumer_removed",
                     {{"stream", stream_}, {"group", member_.group}, {"consumer", std::string{answer[i].text()}}});
    }
}

/// Nobody can read them any more: the stream was cut (`maxlen`) before the group got there.
void redis_consumer::tell_trimmed(std::size_t count, const std::string& first) const {
    observe::log(observe::level::error, "redis.messages_trimmed",
                 {{"stream", stream_},
                  {"group", member_.group},
                  {"count", count},
                  {"first", first},
                  {"remedy", "raise maxlen: the stream was cut before this group had handled its messages"}});
}

void redis_consumer::drop_vanished(const net::deadline& until) {
    tell_trimmed(vanished_.size(), vanished_.front().text());
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
        delivery made{.entry = next.at.text(), .stream = stream_, .body = std::move(next.body), .key = {}};
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
    local_ = {now, monotonic::now()};
    if (held_.empty()) return;
    guarded([&](const net::deadline& until) {
        if (!lease_.held()) {
            static_cast<void>(join(until));
        } else if (!run(renewal(), until)) {
            backlog_.clear();  // the next read finds out who has them
        }
    });
}

void redis_consumer::release() {
    if (!lease_.held()) return;
    guarded([&](const net::deadline& until) {
        commands farewell;
        farewell.add("HSET", lease_.key(), "token", "", "alive_until", "0");
        static_cast<void>(run(farewell, until));
        lease_.let_go();
        backlog_.clear();
    });
}

/// Runs a transaction as the reader of the group. False when somebody else is that now, and nothing was done.
bool redis_consumer::settle(const commands& what) {
    return guarded([&](const net::deadline& until) {
        for (int i = 0; i < max_joins; ++i) {
            if (!lease_.held() && !join(until)) return false;
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
        what.begin(3 + ids.size()).part("XACK").part(from.key).part(member_.group);
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
    const auto due = server_now() + (not_before - local_now());
    const auto record = fmt::format("{} {}", attempts, due.micros());
    if (settle(commands{}.add("HSET", attempts_key_, at.text(), record))) {
        attempts_[at.text()] = {.attempts = attempts, .not_before = not_before};
    }
}

void redis_consumer::dead_letter(const delivery& message, const death& why) {
    const auto at = position::parse(message.entry);
    const auto held = held_.find(at);
    if (held == held_.end()) return;
    const auto grave = dead_letter_key(stream_);
    guarded([&](const net::deadline& until) {
        // A transaction goes on behind a command that fails: it would acknowledge what nobody kept.
        const auto type = link_.open(until).call(commands{}.add("TYPE", grave), until);
        if (type.text() != "stream" && type.text() != "none") {
            throw outage{fmt::format("{} is a {} and takes no dead letters; rename it", grave, type.text())};
        }
    });
    const auto text = dead_letter_text(message, held->second, member_, why, link_.at().now());
    commands what;
    if (const auto maxlen = link_.at().options().dead_letter_maxlen; maxlen != 0) {
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
