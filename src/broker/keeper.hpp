#pragma once

#include <cstddef>
#include <string>

#include <sluice/time.hpp>

namespace sluice::broker {

struct delivery;

/// Why a message was set aside.
struct death {
    std::string reason;  ///< one line; error text of the last attempt
    std::string code;    ///< stable word: undecodable, handler_failed, …
    int attempts = 0;
    date_time at;
};

/// Keeps the messages whose handling failed, durably: until their next attempt, or as dead letters of the group.
///
/// Thread safety: used by the thread of the reader that handed the messages out. Trouble throws an error that can be
/// tried again.
class keeper {
public:
    virtual ~keeper() = default;

    /// Records a failed attempt durably; the message stays with its reader until `not_before`.
    /// @param stream  index of the stream that the message was read from
    virtual void defer(std::size_t stream, const delivery& message, int attempts, date_time not_before) = 0;
    /// Moves the message to the dead letters of the group and acknowledges it, in one step where that can be, else dead
    /// letter first. What is kept is `message.body`.
    virtual void dead_letter(std::size_t stream, const delivery& message, const death& why) = 0;
};

}  // namespace sluice::broker
