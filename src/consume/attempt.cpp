#include "consume/attempt.hpp"

#include <algorithm>
#include <exception>

#include <sluice/error.hpp>

#include "base/failure_cause.hpp"
#include "base/one_line.hpp"

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

attempt run(const route& where, const parcel& what, const command::message_terms& terms, date_time now,
            const message_trace& trace, const observe::span& under) {
    using result = attempt::result;
    try {
        const auto deadline = where.deadline_of ? where.deadline_of(*what.content) : std::nullopt;
        if (deadline && *deadline <= now) return {.is = result::expired, .deadline = *deadline};
        trace.started(what);
        const observe::span_scope here{under};
        const auto outcome = where.handle(*what.content, terms);
        return {.is = outcome == command::outcome::duplicate ? result::duplicate : result::handled,
                .settled = outcome == command::outcome::settled};
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

}  // namespace

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
