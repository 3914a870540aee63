#pragma once

#include <string>
#include <string_view>

#include <sluice/message.hpp>

/// Two messages of one id need not be one message: a database that was restored, or a second deployment of the same
/// domain, counts its versions anew. These tell a copy from another message. Pure.
namespace sluice::envelope {

/// What a handler would do again if it got the message again: its type and its payload, as 32 hexadecimal digits.
/// Times, traces and the priority do not count: who sends a message again under its id may write them anew.
[[nodiscard]] std::string content_of(const message& m);

/// The same for all copies of a message that a lane may send, and another one for a message that only has the same id.
/// Beside type and payload the time of the event counts: an event that is raised again is another one. Of bytes that
/// are no message all count.
[[nodiscard]] std::string copy_key(std::string_view body);

/// True when two bodies under one id are copies of one message: the same bytes, or the same `copy_key`, since the
/// envelope around an event may be written otherwise by another build or with other settings.
[[nodiscard]] bool are_copies(std::string_view body, std::string_view other);

}  // namespace sluice::envelope
