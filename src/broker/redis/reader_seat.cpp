#include "broker/redis/reader_seat.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/ids.hpp"
#include "broker/redis/entry_id.hpp"
#include "broker/redis/error_reply.hpp"
#include "broker/redis/keys.hpp"
#include "broker/redis/number_text.hpp"
#include "observe/log.hpp"

namespace sluice::broker::redis {
namespace {

constexpr int max_tries = 3;
constexpr int claim_page = 1000;
constexpr std::chrono::minutes namesake_memory{1};

std::string_view field_or_empty(const guard::fields& hash, std::string_view name) {
    const auto found = hash.find(name);
    return found == hash.end() ? std::string_view{} : std::string_view{found->second};
}

}  // namespace

reader_seat::reader_seat(std::shared_ptr<server> at, std::string stream, membership member,
                         std::vector<std::string> inherited)
    : link_{std::move(at), "sluice-consumer"},
      stream_{std::move(stream)},
      member_{std::move(member)},
      inherited_{std::move(inherited)},
      lease_{group_key(stream_, member_.group), guard::when_full::go_on} {}

reader_seat::~reader_seat() {
    auto* const on = link_.current();
    if (on == nullptr || !lease_.held()) return;
    // Under the WATCH like everything else: if the lease is not ours any more, nothing happens. The holder stays named,
    // because the next one inherits what it has pending.
    commands farewell;
    farewell.add("MULTI").add("HSET", lease_.key(), "token", "", "alive_until", "0").add("EXEC");
    on->send_and_forget(farewell);
}

void reader_seat::disconnect() noexcept {
    link_.drop();
    lease_.let_go();
}

void reader_seat::leave(const net::deadline& until) {
    commands farewell;
    farewell.add("HSET", lease_.key(), "token", "", "alive_until", "0");
    static_cast<void>(run(farewell, until));
    lease_.let_go();
}

/// The entry behind which a new group begins: before what its former name has not acknowledged, else behind what that
/// one was given. The former group stays, since processes of an earlier build may still read with it; what both handle
/// the inbox knows.
std::string reader_seat::beginning(const net::deadline& until) {
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
bool reader_seat::take(const net::deadline& until) {
    auto& on = link_.open(until);
    for (int i = 0; i < max_tries; ++i) {
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
        if (take_over()) return true;
    }
    return false;
}

bool reader_seat::may_take(const guard::fields& lease, const net::deadline& until) {
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

bool reader_seat::lives(const guard::fields& lease) {
    const auto alive_until = field_or_empty(lease, "alive_until");
    if (server_now().micros() >= number_or_zero(alive_until)) return false;
    // A time far ahead may come from before the server's clock was set back.
    auto seen = fmt::format("{} {}", field_or_empty(lease, "token"), alive_until);
    if (!other_ || other_->lease != seen) other_ = {std::move(seen), monotonic::now()};
    const duration their_claim{number_or_zero(field_or_empty(lease, "claim"))};
    return monotonic::now() - other_->since <= std::max(their_claim, member_.claim);
}

/// Operators see it in `status` as long as it is so.
void reader_seat::tell_of_namesake(const net::deadline& until) {
    if (!std::exchange(told_of_namesake_, true)) sluice::broker::tell_namesake(member_, stream_);
    const auto memory = std::max<duration>(namesake_memory, 2 * member_.claim);
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(memory).count();
    commands mark;
    mark.add("SET", namesake_key(stream_, member_.group), member_.consumer, "PX", milliseconds);
    static_cast<void>(link_.open(until).run(mark, until));  // a full server has no room for it
}

/// What former readers have pending becomes ours, all of it before anything new is read. False: the lease was lost.
bool reader_seat::take_over() {
    const auto readers = readers_key(stream_, member_.group);
    const auto until = link_.answer_deadline();
    const auto names = link_.open(until).call(commands{}.add("SMEMBERS", readers), until);
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string former{names[i].text()};
        if (former == member_.consumer) continue;
        for (const auto& key : inherited_) {
            if (!inherit(key, former)) return false;
        }
        // Whoever has the name reads under the lease only, so nothing came since.
        commands forget;
        for (const auto& key : inherited_) forget.add("XGROUP", "DELCONSUMER", key, member_.group, former);
        forget.add("SREM", readers, former);
        if (!run(forget, link_.answer_deadline())) return false;
    }
    return lease_.held();
}

bool reader_seat::inherit(const std::string& key, const std::string& former) {
    std::string begin = "-";
    for (;;) {
        const auto until = link_.answer_deadline();
        commands look;
        look.begin(7).part("XPENDING").part(key).part(member_.group);
        look.part(begin).part("+").part(claim_page).part(former);
        const auto pending = link_.open(until).run(look, until).at(0);
        if (pending.is_error() || pending.size() == 0) return true;  // an error: no such group
        auto what = renewal();
        what.begin(6 + pending.size()).part("XCLAIM").part(key).part(member_.group).part(member_.consumer);
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

std::string reader_seat::place_of_new_group() const {
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

/// Runs a transaction under the lease. Nothing when the lease was lost.
std::optional<reply> reader_seat::run(const commands& what, const net::deadline& until) {
    transaction all{what};
    const auto result = lease_.run(link_.open(until), all, until);
    if (result.lost()) return std::nullopt;
    if (result.done()) return result.result;
    for (const auto& each : result.queued) {
        if (each.is_error()) throw outage{first_clause(each.text())};
    }
    throw outage{first_clause(result.result.text())};
}

void reader_seat::ask_server_time(const net::deadline& until) {
    if (link_.at().options().server_time != nullptr) return;
    const auto told = link_.open(until).call(commands{}.add("TIME"), until);
    constexpr std::int64_t micros_per_second = 1'000'000;
    const auto micros = number_or_zero(told[0].text()) * micros_per_second + number_or_zero(told[1].text());
    server_ = {.time = date_time::from_micros(micros)};
}

date_time reader_seat::server_now() const {
    if (const auto* given = link_.at().options().server_time) return given->now();
    return server_ ? server_->now() : link_.at().now();
}

commands reader_seat::renewal() const {
    commands what;
    what.begin(4).part("HSET").part(lease_.key()).part("alive_until").part((server_now() + member_.claim).micros());
    return what;
}

/// Nobody can read them any more: the stream was cut (`maxlen`) before the group got there.
void reader_seat::tell_trimmed(std::size_t count, const std::string& first) const {
    observe::log(observe::level::error, "redis.messages_trimmed",
                 {{"stream", stream_},
                  {"group", member_.group},
                  {"count", count},
                  {"first", first},
                  {"remedy", "raise maxlen: the stream was cut before this group had handled its messages"}});
}

}  // namespace sluice::broker::redis
