#include "broker/redis/guard.hpp"

#include "base/one_line.hpp"
#include "broker/redis/error_reply.hpp"
#include "broker/redis/outage.hpp"

namespace sluice::broker::redis {
namespace {

constexpr const char* token_field = "token";

[[noreturn]] void fail(const reply& error) {
    auto text = base::one_line(error.text());
    if (is_forbidden(text)) throw forbidden{text};
    throw outage{text};
}

/// MULTI, the commands, EXEC are the first replies; the index of a command is one less than in the pipeline.
std::vector<reply> run_counting_from_the_first_command(connection& on, const commands& pipeline,
                                                       const deadline& until) {
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

outcome run_transaction(connection& on, transaction& what, const deadline& until) {
    const auto count = what.count();
    what.what().add("EXEC");
    return outcome_of(run_counting_from_the_first_command(on, what.what(), until), count);
}

guard::fields guard::look(connection& on, const deadline& until) {
    let_go();
    // A key that is watched already is not watched anew, and what happened to it since would count.
    const auto replies = on.run(commands{}.add("UNWATCH").add("WATCH", key_).add("HGETALL", key_), until);
    for (const auto& each : replies) {
        if (each.is_error()) fail(each);
    }
    const auto& hash = replies.back();
    fields found;
    for (std::size_t i = 0; i + 1 < hash.size(); i += 2) found.emplace(hash[i].text(), hash[i + 1].text());
    return found;
}

bool guard::take(connection& on, std::string token, const fields& values, const commands& more, const deadline& until) {
    transaction claim;
    auto& what = claim.what();
    what.begin(4 + 2 * values.size()).part("HSET").part(key_).part(token_field).part(token);
    for (const auto& [name, value] : values) what.part(name).part(value);
    what.append(more);

    token_ = std::move(token);
    const auto outcome = run(on, claim, until);
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

outcome guard::run(connection& on, transaction& what, const deadline& until) {
    const auto count = what.count();
    what.what().add("EXEC").add("WATCH", key_).add("HGET", key_, token_field);
    const auto replies = run_counting_from_the_first_command(on, what.what(), until);
    auto result = outcome_of(replies, count);
    // Between EXEC and WATCH somebody may have come in.
    const auto& token = replies.back();
    if (result.lost() || !token.is_text() || token.text() != token_) let_go();
    return result;
}

}  // namespace sluice::broker::redis
