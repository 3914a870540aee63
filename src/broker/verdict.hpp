#pragma once

#include <string>
#include <variant>

namespace sluice::broker {

/// The broker confirmed that it keeps the message.
struct delivered {
    std::string receipt;  ///< the broker's own id or offset
};

/// The broker answered and does not want this message. Only a refusal of the message itself uses up an attempt.
struct refused {
    std::string reason;
    std::string code;            ///< the broker's own error word, for `last_error`
    bool permanent = false;      ///< the same message can never be accepted
    bool stream_closed = false;  ///< no message could enter its stream, others are open; costs the row no attempt
};

/// No confirmation came: the broker is away, or it may have taken the message without saying so. Costs the row nothing.
struct unreachable {
    std::string reason;
    bool answers = false;  ///< the broker took other messages of the batch, and there was no time for this one
};

using verdict = std::variant<delivered, refused, unreachable>;

}  // namespace sluice::broker
