#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <sluice/time.hpp>

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
    duration took{};
    std::uint64_t epoch = 0;  ///< of the lease under which it ran
    date_time deadline{};     ///< when expired
};

/// Runs the handler of a route for one message. What an error means to the message is what `base::cause_of` says of it.
/// A command whose deadline has passed is not begun.
///
/// @param what  with content
/// @param trace  is told when the handler begins
/// @param fence  for a sequential route: the lease under which it commits
/// Thread safety: may run on any thread, several at once. Nothing is thrown.
[[nodiscard]] attempt try_handler(const route& where, const parcel& what,
                                  const std::optional<store::lease_fence>& fence, const clock& time,
                                  const message_trace& trace);

}  // namespace sluice::consume
