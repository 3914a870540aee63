#include "consume/attempt.hpp"

#include <algorithm>
#include <exception>

#include <sluice/error.hpp>

#include "base/failure_cause.hpp"
#include "base/one_line.hpp"
#include "observe/log.hpp"

namespace sluice::consume {

namespace {

attempt::result result_of(const std::exception& failure) {
    switch (base::cause_of(failure)) {
        case base::failure_cause::outage:
            return attempt::result::interrupted;
        case base::failure_cause::conflict:
            return attempt::result::contended;
        case base::failure_cause::statement:
            return attempt::result::hindered;
        case base::failure_cause::message:
            break;
    }
    return attempt::result::failed;
}

/// @throws what the handler and the commit throw
attempt handle(const route& where, const parcel& what, const command::message_terms& terms, date_time now,
               const message_trace& trace, const observe::span& under) {
    using result = attempt::result;
    const auto deadline = where.deadline_of ? where.deadline_of(*what.content) : std::nullopt;
    if (deadline && *deadline <= now) return {.is = result::expired, .deadline = *deadline};
    trace.started(what);
    const observe::span_scope here{under};
    const auto outcome = where.handle(*what.content, terms);
    return {.is = outcome == command::outcome::duplicate ? result::duplicate : result::handled,
            .settled = outcome == command::outcome::settled};
}

attempt run(const route& where, const parcel& what, const command::message_terms& terms, date_time now,
            const message_trace& trace, const observe::span& under) {
    using result = attempt::result;
    try {
        return handle(where, what, terms, now, trace, under);
    } catch (const store::lease_lost& e) {
        return {.is = result::evicted, .reason = base::one_line(e.what())};
    } catch (const error& e) {
        return {.is = result_of(e), .reason = base::one_line(e.what()), .code = e.code()};
    } catch (const std::exception& e) {
        return {.is = result_of(e), .reason = base::one_line(e.what()), .code = "handler_failed"};
    } catch (...) {
        return {.is = result::failed,
                .reason = "the handler threw something that is no std::exception",
                .code = "handler_failed"};
    }
}

/// The attempt as a part of `work`, which is not committed yet.
/// @throws what the handler throws
attempt handle_within(detail::unit& work, const route& where, const handling& one, const clock& time,
                      const message_trace& trace) {
    const instant begin = time.monotonic_now();
    observe::span span = trace.handling(*one.what);
    command::message_terms terms = one.terms;
    terms.within = &work;
    attempt made = handle(where, *one.what, terms, time.now(), trace, span);
    if (span.context() != nullptr) made.trace = *span.context();
    if (made.is == attempt::result::duplicate) span.set("sluice.duplicate", true);
    made.took = time.monotonic_now() - begin;
    return made;
}

/// Nothing when they cannot be handled together; then nothing was written.
std::optional<std::vector<attempt>> try_transaction(commit::environment& env, const route& where,
                                                    std::span<const handling> all, const message_trace& trace) {
    std::vector<attempt> made;
    made.reserve(all.size());
    try {
        detail::unit work{env};
        for (const handling& each : all) made.push_back(handle_within(work, where, each, env.time(), trace));
        const instant begin = env.time().monotonic_now();
        work.commit();
        const duration share = (env.time().monotonic_now() - begin) / static_cast<duration::rep>(all.size());
        for (attempt& each : made) each.took += share;
        return made;
    } catch (const std::exception& failure) {
        const std::string reason = base::one_line(failure.what());
        if (base::cause_of(failure) == base::failure_cause::outage) {
            return std::vector<attempt>(all.size(), {.is = attempt::result::interrupted, .reason = reason});
        }
        observe::log(observe::level::debug, "subscription.handles_alone",
                     {{"handler", where.name}, {"messages", std::to_string(all.size())}, {"reason", reason}});
    } catch (...) {  // NOLINT(bugprone-empty-catch): whose it is shows when each is handled alone
    }
    return std::nullopt;
}

}  // namespace

std::vector<attempt> try_together(commit::environment& env, const route& where, std::span<const handling> all,
                                  const message_trace& trace) {
    if (auto made = try_transaction(env, where, all, trace)) return *std::move(made);
    std::vector<attempt> made;
    made.reserve(all.size());
    for (const handling& each : all) {
        command::message_terms alone = each.terms;
        alone.unmarked = false;
        made.push_back(try_handler(where, *each.what, alone, env.time(), trace));
    }
    return made;
}

attempt try_handler(const route& where, const parcel& what, const command::message_terms& terms, const clock& time,
                    const message_trace& trace) {
    const instant begin = time.monotonic_now();
    observe::span span = trace.handling(what);
    attempt made = run(where, what, terms, time.now(), trace, span);
    if (span.context() != nullptr) made.trace = *span.context();
    if (made.is == attempt::result::duplicate) span.set("sluice.duplicate", true);
    if (!made.reason.empty()) span.fail(made.code.empty() ? "exception" : made.code, made.reason);
    made.took = time.monotonic_now() - begin;
    if (terms.fence) made.epoch = terms.fence->epoch;
    return made;
}

}  // namespace sluice::consume
