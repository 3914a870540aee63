#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sluice/time.hpp>

#include "command/invocation.hpp"
#include "consume/message_trace.hpp"
#include "consume/route.hpp"
#include "consume/subscription_plan.hpp"

namespace sluice::consume {

/// What came of one run of a handler.
struct attempt {
    enum class result : std::uint8_t {
        handled,
        duplicate,    ///< the inbox knew the message already
        expired,      ///< not begun: the deadline of the command had passed
        failed,       ///< the handler's fault, or the message's
        contended,    ///< another writer was faster, again and again
        hindered,     ///< the database could not do it now; whose fault that is, other messages show
        interrupted,  ///< an outage: no message can be handled now
        evicted       ///< the fence was another owner's; nothing was written
    };

    result is = result::handled;
    std::string reason{};  ///< one line; empty when handled
    std::string code{};    ///< stable word
    bool settled = false;  ///< handled, and what the database kept of the message is gone
    duration took{};
    std::uint64_t epoch = 0;              ///< of the lease under which it ran
    date_time deadline{};                 ///< when expired
    std::optional<trace_parent> trace{};  ///< the span of the attempt, while spans are recorded
};

/// Runs the handler of a route for one message. What an error means to the message is what `base::cause_of` says of it.
/// A command whose deadline has passed is not begun.
///
/// @param what  with content
/// @param terms  with the fence of a sequential route: the lease under which it commits
/// @param trace  is told when the handler begins
/// Thread safety: may run on any thread, several at once. Nothing is thrown.
[[nodiscard]] attempt try_handler(const route& where, const parcel& what, const command::message_terms& terms,
                                  const clock& time, const message_trace& trace);

/// One of several messages that are handled together.
struct handling {
    const parcel* what = nullptr;  ///< with content
    command::message_terms terms;
};

/// Runs the handler of a route for several messages, one after the other, in one unit of work, and commits that: all of
/// it or nothing. When a handler throws, or the commit is refused, each of them is handled at once in a unit of its
/// own, as try_handler does it; so one that fails costs the others nothing but time. An outage is one for all of them.
///
/// @param all  neither fenced nor kept by the database
/// @return what came of each, in their order
/// Thread safety: as for try_handler. Nothing is thrown.
[[nodiscard]] std::vector<attempt> try_together(commit::environment& env, const route& where,
                                                std::span<const handling> all, const message_trace& trace);

}  // namespace sluice::consume
