#include "broker/redis/guard.hpp"

#include <algorithm>

#include "broker/redis/error_reply.hpp"
#include "broker/redis/outage.hpp"
#include "observe/log.hpp"

namespace sluice::broker::redis {
namespace {

constexpr const char* token_field = "token";

/// A transaction is tried again so long after one was refused for want of memory.
constexpr std::chrono::seconds full_pause{1};

/// KEYS[1]: the hash. ARGV: how many of its fields are compared, their names and values, then the commands as the
/// protocol writes them. Answers as EXEC does: nil when a field has another value, else one element per command.
constexpr std::string_view script_in_spite_of_full_memory = R"lua(#!lua flags=allow-oom
for i = 1, tonumber(ARGV[1]) do
    if (redis.call('HGET', KEYS[1], ARGV[2 * i]) or '') ~= ARGV[2 * i + 1] then return false end
end
local text, at, answers = ARGV[#ARGV], 1, {}
local function number()
    local line_end = string.find(text, '\r\n', at, true)
    local found = tonumber(string.sub(text, at + 1, line_end - 1))
    at = line_end + 2
    return found
end
while at <= #text do
    local words = {}
    for i = 1, number() do
        local length = number()
        words[i] = string.sub(text, at, at + length - 1)
        at = at + length + 2
    end
    answers[#answers + 1] = redis.pcall(unpack(words))
end
return answers
)lua";

bool is_for_want_of_memory(const outcome& what) {
    if (!what.result.is_error()) return false;
    const auto says_so = [](const reply& each) { return each.is_error() && error_code(each.text()) == "OOM"; };
    return says_so(what.result) || std::ranges::any_of(what.queued, says_so);
}

[[noreturn]] void fail(const reply& error) {
    auto text = first_clause(error.text());
    if (is_forbidden(error.text())) throw forbidden{text};
    throw outage{text};
}

/// MULTI, the commands, EXEC are the first replies; the index of a command is one less than in the pipeline.
std::vector<reply> run_counting_from_the_first_command(connection& on, const commands& pipeline,
                                                       const net::deadline& until) {
    try {
        return on.run(pipeline, until);
    } catch (const unacceptable_command& trouble) {
        if (trouble.index() == 0) throw outage{trouble.what()};
        throw unacceptable_command{trouble.what(), trouble.index() - 1};
    }
}

outcome outcome_of(const std::vector<reply>& replies, std::size_t count) {
    // Without MULTI the commands were executed one by one, or not at all: their own replies tell.
    if (replies[0].is_error()) fail(replies[0]);
    const auto begin = replies.begin() + 1;
    const auto end = begin + static_cast<std::ptrdiff_t>(count);
    return {.queued = {begin, end}, .result = *end};
}

}  // namespace

std::string_view transaction::body() const {
    static const auto begin = commands{}.add("MULTI").bytes().size();
    return std::string_view{pipeline_.bytes()}.substr(begin);
}

outcome run_transaction(connection& on, transaction& what, const net::deadline& until) {
    const auto count = what.count();
    what.what().add("EXEC");
    return outcome_of(run_counting_from_the_first_command(on, what.what(), until), count);
}

guard::fields guard::look(connection& on, const net::deadline& until) {
    let_go();
    // A key that is watched already is not watched anew, and what happened to it since would count.
    const auto replies = on.run(commands{}.add("UNWATCH").add("WATCH", key_).add("HGETALL", key_), until);
    for (const auto& each : replies) {
        if (each.is_error()) fail(each);
    }
    const auto& hash = replies.back();
    seen_.clear();
    for (std::size_t i = 0; i + 1 < hash.size(); i += 2) seen_.emplace(hash[i].text(), hash[i + 1].text());
    return seen_;
}

bool guard::take(connection& on, std::string token, const fields& values, const commands& more,
                 const net::deadline& until) {
    transaction claim;
    auto& what = claim.what();
    what.begin(4 + 2 * values.size()).part("HSET").part(key_).part(token_field).part(token);
    for (const auto& [name, value] : values) what.part(name).part(value);
    what.append(more);

    token_ = std::move(token);
    auto unchanged = seen_;
    unchanged.try_emplace(token_field);
    const auto outcome = run(on, claim, unchanged, until);
    if (outcome.lost()) return false;
    if (!outcome.done()) {
        let_go();
        for (const auto& each : outcome.queued) {
            if (each.is_error()) fail(each);
        }
        fail(outcome.result);
    }
    return held();
}

outcome guard::run(connection& on, transaction& what, const net::deadline& until) {
    return run(on, what, {{token_field, token_}}, until);
}

outcome guard::run(connection& on, transaction& what, const fields& comparing, const net::deadline& until) {
    const auto count = what.count();
    const auto length = what.body().size();
    if (std::chrono::steady_clock::now() < full_until_) return run_script(on, what.body(), comparing, until);

    what.what().add("EXEC").add("WATCH", key_).add("HGET", key_, token_field);
    const auto replies = run_counting_from_the_first_command(on, what.what(), until);
    auto result = outcome_of(replies, count);
    if (policy_ == when_full::go_on && is_for_want_of_memory(result)) {
        return run_script(on, what.body().substr(0, length), comparing, until);
    }
    if (std::exchange(full_, false)) observe::log(observe::level::info, "redis.has_memory_again", {{"key", key_}});
    // Between EXEC and WATCH somebody may have come in.
    const auto& token = replies.back();
    if (result.lost() || !token.is_text() || token.text() != token_) let_go();
    return result;
}

outcome guard::run_script(connection& on, std::string_view body, const fields& comparing, const net::deadline& until) {
    commands all;
    all.begin(6 + 2 * comparing.size()).part("EVAL").part(script_in_spite_of_full_memory).part(1).part(key_);
    all.part(comparing.size());
    for (const auto& [name, value] : comparing) all.part(name).part(value);
    all.part(body);
    all.add("WATCH", key_).add("HGET", key_, token_field);
    const auto replies = on.run(all, until);
    if (replies[0].is_error()) {
        throw outage{"the server is at its maxmemory, and what is read in spite of that needs EVAL of Redis 7 (" +
                     first_clause(replies[0].text()) + "); raise maxmemory"};
    }
    full_until_ = std::chrono::steady_clock::now() + full_pause;
    if (!std::exchange(full_, true)) {
        observe::log(observe::level::warn, "redis.out_of_memory",
                     {{"key", key_}, {"remedy", "raise maxmemory or trim streams; reading goes on meanwhile"}});
    }
    outcome result{.queued = {}, .result = replies[0]};
    const auto& token = replies.back();
    if (result.lost() || !token.is_text() || token.text() != token_) let_go();
    return result;
}

}  // namespace sluice::broker::redis
