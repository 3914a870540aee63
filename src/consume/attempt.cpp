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

attempt run(const route& where, const parcel& what, const std::optional<store::lease_fence>& fence, date_time now,
            const message_trace& trace) {
    using result = attempt::result;
    try {
        const auto deadline = where.deadline_of ? where.deadline_of(*what.content) : std::nullopt;
        if (deadline && *deadline <= now) return {.is = result::expired, .deadline = *deadline};
        trace.started(what);
        const auto outcome = where.sequential && fence
                                 ? where.sequential->handle(*what.content, what.delivery.entry, *fence)
                                 : where.handle(*what.content, what.delivery.entry);
        return {.is = outcome == command::outcome::duplicate ? result::duplicate : result::handled};
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

attempt try_handler(const route& where, const parcel& what, const std::optional<store::lease_fence>& fence,
                    const clock& time, const message_trace& trace) {
    const instant begin = time.monotonic_now();
    attempt made = run(where, what, fence, time.now(), trace);
    made.took = time.monotonic_now() - begin;
    if (fence) made.epoch = fence->epoch;
    return made;
}

}  // namespace sluice::consume
